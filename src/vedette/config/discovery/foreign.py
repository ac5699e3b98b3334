"""Kinds of service discovery that Prometheus has and Vedette has not.

Their settings are accepted, checked as far as that is cheap, and reported with a warning, so that a
prometheus.yml with them loads; the job that relies on them is inactive.

Source: Prometheus' configuration reference and discovery/*/ (required options, choices).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, ClassVar, Final, cast
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError
from pydantic_core import InitErrorDetails

from vedette.config.discovery.kind import DiscoverySettings
from vedette.config.fields import choice_remedy, nearest, url_problem
from vedette.config.http_client import HttpClient, TlsConfig
from vedette.config.secrets import REDACTED, is_secret_name, mask_url
from vedette.config.settings import Problem, details_of, failure, unknown_option
from vedette.model.durations import parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignDiscovery(DiscoverySettings):
    """Settings of a kind that Vedette does not have.

    Attributes:
        name: the kind.
        options: the settings as JSON, without secrets; for showing only.
    """

    supported: ClassVar[bool] = False

    name: str = ""
    options: str = ""


@dataclass(frozen=True, slots=True)
class ForeignKind:
    """What is known of a kind's settings.

    Attributes:
        title: its name in messages.
        options: its options besides those of the HTTP client.
        required: options that have to be there.
        not_empty: options that may be missing, but not empty.
        choices: options that take one of some words.
        urls: options that are http:// or https:// URLs.
        one_of: pairs of which exactly one has to be there.
        at_most_one: pairs of which at most one may be there.
        http: whether it takes the options of the HTTP client.
        open: whether it may have options that are not listed.
    """

    title: str
    options: str = ""
    required: tuple[str, ...] = ()
    not_empty: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    urls: tuple[str, ...] = ()
    one_of: tuple[tuple[str, str], ...] = ()
    at_most_one: tuple[tuple[str, ...], ...] = ()
    http: bool = True
    open: bool = False


_AWS: Final = "endpoint region access_key secret_key profile role_arn external_id port"
_AZURE_METHODS: Final = ("OAuth", "ManagedIdentity", "SDK", "WorkloadIdentity")

FOREIGN: Final[Mapping[str, ForeignKind]] = {
    "aws": ForeignKind(
        "AWS",
        f"{_AWS} role filters clusters",
        required=("role",),
        choices={"role": ("ec2", "lightsail", "ecs", "msk", "rds", "elasticache")},
        open=True,
    ),
    "azure": ForeignKind(
        "azure",
        "environment port subscription_id tenant_id client_id client_secret authentication_method resource_group",
        required=("subscription_id",),
        choices={"authentication_method": _AZURE_METHODS},
    ),
    "consul": ForeignKind(
        "consul",
        "server path_prefix token datacenter namespace partition tag_separator scheme username password services"
        " tags node_meta filter health_filter allow_stale",
        at_most_one=(("token", "authorization", "oauth2"),),
    ),
    "digitalocean": ForeignKind("digitalocean", "port"),
    "dockerswarm": ForeignKind(
        "dockerswarm",
        "host role port filters",
        required=("host", "role"),
        choices={"role": ("services", "tasks", "nodes")},
    ),
    "ec2": ForeignKind("EC2", f"{_AWS} filters"),
    "eureka": ForeignKind("eureka", "server", required=("server",), urls=("server",)),
    "gce": ForeignKind("GCE", "project zone filter port tag_separator", required=("project", "zone"), http=False),
    "hetzner": ForeignKind(
        "hetzner",
        "role port label_selector",
        required=("role",),
        choices={"role": ("hcloud", "robot")},
    ),
    "ionos": ForeignKind("ionos", "datacenter_id port", required=("datacenter_id",)),
    "kuma": ForeignKind("kuma", "server client_id fetch_timeout", required=("server",), urls=("server",)),
    "lightsail": ForeignKind("Lightsail", _AWS),
    "linode": ForeignKind("linode", "port tag_separator region"),
    "marathon": ForeignKind(
        "marathon",
        "servers auth_token auth_token_file",
        required=("servers",),
        at_most_one=(
            ("auth_token", "auth_token_file"),
            ("auth_token", "basic_auth"),
            ("auth_token_file", "basic_auth"),
            ("auth_token", "bearer_token", "bearer_token_file"),
            ("auth_token_file", "bearer_token", "bearer_token_file"),
            ("auth_token", "authorization"),
            ("auth_token_file", "authorization"),
        ),
    ),
    "nerve": ForeignKind("nerve", "servers paths timeout", required=("servers", "paths"), http=False),
    "nomad": ForeignKind("nomad", "allow_stale namespace region server tag_separator", required=("server",)),
    "oci": ForeignKind("OCI", "region tenancy user fingerprint key_file key_passphrase compartments port", open=True),
    "openstack": ForeignKind(
        "openstack",
        "identity_endpoint username userid password project_name project_id domain_name domain_id role region port"
        " application_credential_name application_credential_id application_credential_secret all_tenants"
        " tls_config availability",
        required=("role", "region"),
        choices={
            "role": ("instance", "hypervisor", "loadbalancer"),
            "availability": ("admin", "internal", "public"),
        },
        http=False,
    ),
    "outscale": ForeignKind(
        "outscale",
        "region access_key secret_key secret_key_file port",
        required=("access_key",),
        not_empty=("region",),
        one_of=(("secret_key", "secret_key_file"),),
        open=True,
    ),
    "ovhcloud": ForeignKind(
        "ovhcloud",
        "endpoint application_key application_secret consumer_key service",
        required=("service", "application_key", "application_secret", "consumer_key"),
        choices={"service": ("vps", "dedicated_server")},
        http=False,
    ),
    "puppetdb": ForeignKind(
        "puppetdb",
        "url query include_parameters port",
        required=("url", "query"),
        urls=("url",),
    ),
    "scaleway": ForeignKind(
        "scaleway",
        "project_id api_url zone access_key secret_key secret_key_file name_filter tags_filter role port",
        required=("project_id", "access_key", "role"),
        choices={"role": ("instance", "baremetal")},
        one_of=(("secret_key", "secret_key_file"),),
    ),
    "serverset": ForeignKind("serverset", "servers paths timeout", required=("servers", "paths"), http=False),
    "stackit": ForeignKind("stackit", "project region endpoint port", required=("project",), open=True),
    "triton": ForeignKind(
        "triton",
        "account dns_suffix endpoint role groups port tls_config version",
        required=("account", "dns_suffix", "endpoint"),
        choices={"role": ("container", "cn")},
        http=False,
    ),
    "uyuni": ForeignKind(
        "Uyuni",
        "server username password entitlement separator",
        required=("server", "username", "password"),
        urls=("server",),
    ),
    "vultr": ForeignKind("vultr", "port"),
}


@cache
def _client() -> TypeAdapter[HttpClient]:
    return TypeAdapter(HttpClient)


@cache
def _tls() -> TypeAdapter[TlsConfig]:
    return TypeAdapter(TlsConfig)


def read_foreign(name: str, found: dict[str, Any]) -> tuple[ForeignDiscovery | None, list[InitErrorDetails]]:
    """The settings of a foreign kind, or what is wrong with them."""
    kind = FOREIGN[name]
    client_keys = {one.name for one in fields(HttpClient)} if kind.http else set[str]()
    client = {key: value for key, value in found.items() if key in client_keys}
    details: list[InitErrorDetails] = []
    try:
        _client().validate_python(client)
        if "tls_config" in found:
            _tls().validate_python(found["tls_config"])
    except ValidationError as exc:
        details.extend(details_of(exc, () if kind.http else ("tls_config",)))
    details.extend(_unknown_options(kind, found, client_keys))
    details.extend(failure(problem) for problem in _problems(kind, found))
    if details:
        return None, details
    return ForeignDiscovery(name=name, options=json.dumps(_masked(found), sort_keys=True)), []


def _unknown_options(kind: ForeignKind, found: dict[str, Any], client_keys: set[str]) -> Iterable[InitErrorDetails]:
    known = {*kind.options.split(), "refresh_interval", *client_keys}
    for key in () if kind.open else sorted(found.keys() - known):
        meant = nearest(key, sorted(known))
        yield unknown_option(key, f"Did you mean `{meant}`?" if meant else "Remove it.")


def _problems(kind: ForeignKind, found: dict[str, Any]) -> Iterable[Problem]:
    yield from _option_problems(kind, found)
    yield from _combination_problems(kind, found)
    for key in kind.urls:
        yield from _url_problems(kind, key, found.get(key))
    interval = found.get("refresh_interval")
    if interval is not None:
        try:
            parse_duration(str(interval))
        except ValueError as exc:
            yield Problem(("refresh_interval",), str(exc))


def _option_problems(kind: ForeignKind, found: dict[str, Any]) -> Iterable[Problem]:
    required = kind.required
    if kind.title == "azure" and found.get("authentication_method", "OAuth") == "OAuth":
        required = (*required, "tenant_id", "client_id", "client_secret")
    for key in required:
        if not found.get(key):
            yield Problem((key,), f"{kind.title} SD configuration requires {key}", f"Add `{key}`.")
    for key in kind.not_empty:
        if found.get(key) == "":
            yield Problem((key,), f"{kind.title} SD configuration requires {key}", f"Set or remove `{key}`.")
    for key, choices in kind.choices.items():
        if found.get(key) and found[key] not in choices:
            text = f"unknown {key}: {found[key]}, must be one of {', '.join(choices)}"
            yield Problem((key,), text, choice_remedy(str(found[key]), choices))


def _combination_problems(kind: ForeignKind, found: dict[str, Any]) -> Iterable[Problem]:
    for pair in kind.one_of:
        if not any(found.get(key) for key in pair):
            yield Problem((), f"one of {' & '.join(pair)} must be configured", f"Add `{pair[0]}`.")
    for group in (*kind.one_of, *kind.at_most_one):
        there = [key for key in group if found.get(key)]
        if len(there) > 1:
            text = f"{kind.title}_sd: at most one of {', '.join(there[:-1])} & {there[-1]} must be configured"
            yield Problem((there[-1],), text, "Remove one.")


def _url_problems(kind: ForeignKind, key: str, url: object) -> Iterable[Problem]:
    if not url:
        return
    text = str(url)
    problem = url_problem(text)
    if not problem and urlsplit(text).scheme not in ("http", "https"):
        problem = "URL scheme must be 'http' or 'https'"
    if not problem and not urlsplit(text).hostname:
        problem = "host is missing in URL"
    if problem:
        yield Problem((key,), f'invalid {kind.title} {key} "{mask_url(text)}": {problem}')


def _masked(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {str(k): _masked(v, str(k)) for k, v in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_masked(item, key) for item in cast("list[Any]", value)]
    return REDACTED if is_secret_name(key) else mask_url(str(value))
