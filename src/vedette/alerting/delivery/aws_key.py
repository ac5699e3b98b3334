"""The key that signs for AWS: from the configuration, the environment, or a profile of the user that runs Vedette.

Roles of machines and containers are not asked for: their key can be put into the environment.
"""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from vedette.alerting.delivery.faults import refused
from vedette.alerting.delivery.sigv4 import AwsKey
from vedette.config.remote import SigV4


class AwsIdentity(NamedTuple):
    """Who signs, and where.

    Attributes:
        key: signs.
        region: where the service is.
    """

    key: AwsKey
    region: str


def find_identity(settings: SigV4, environment: Mapping[str, str]) -> AwsIdentity:
    """Who signs. Reads files.

    Raises:
        DeliveryError: there is no key, or no region.
    """
    profile = settings.profile or environment.get("AWS_PROFILE", "")
    name = profile or "default"
    home = environment.get("HOME", "")
    credentials = _section(environment.get("AWS_SHARED_CREDENTIALS_FILE") or f"{home}/.aws/credentials", name)
    config = _section(
        environment.get("AWS_CONFIG_FILE") or f"{home}/.aws/config", name if name == "default" else f"profile {name}"
    )
    region = (
        settings.region
        or environment.get("AWS_REGION", "")
        or environment.get("AWS_DEFAULT_REGION", "")
        or config.get("region", "")
        or credentials.get("region", "")
    )
    if not region:
        raise refused("region not configured in sns.sigv4.region, the environment or the AWS profile")
    if settings.access_key:
        return AwsIdentity(AwsKey(settings.access_key, settings.secret_key.value), region)
    if not settings.profile and environment.get("AWS_ACCESS_KEY_ID"):
        secret, token = environment.get("AWS_SECRET_ACCESS_KEY", ""), environment.get("AWS_SESSION_TOKEN", "")
        return AwsIdentity(AwsKey(environment["AWS_ACCESS_KEY_ID"], secret, token), region)
    found = credentials if "aws_access_key_id" in credentials else config
    if "aws_access_key_id" not in found:
        raise refused("no AWS key: set sigv4.access_key and sigv4.secret_key, the environment, or a profile")
    secret, token = found.get("aws_secret_access_key", ""), found.get("aws_session_token", "")
    return AwsIdentity(AwsKey(found["aws_access_key_id"], secret, token), region)


def _section(file: str, name: str) -> Mapping[str, str]:
    """A section of a file of AWS; empty where there is none."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return {}
    return dict(parser.items(name)) if parser.has_section(name) else {}
