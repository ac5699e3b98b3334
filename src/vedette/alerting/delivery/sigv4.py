"""Requests signed for AWS, version 4.

https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html. Written out here: the libraries that do
it bring all of AWS with them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlsplit

_ALGORITHM: Final = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, repr=False)
class AwsKey:
    """A key of AWS.

    Attributes:
        access_key: its name.
        secret_key: the key.
        token: of a session; empty for a key that lasts.
    """

    access_key: str
    secret_key: str
    token: str = ""


def signed_headers(
    url: str, body: bytes, headers: Mapping[str, str], key: AwsKey, *, region: str, service: str, now_ms: int
) -> dict[str, str]:
    """Headers for a POST, with those that sign it.

    Args:
        url: where it goes; without a query.
        body: what is sent.
        headers: other headers that are signed.
        key: signs.
        region: of the service.
        service: its name.
        now_ms: the time, milliseconds since the epoch; AWS takes it for five minutes.
    """
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    stamp, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    parts = urlsplit(url)
    signed = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    signed |= {"host": parts.netloc.rpartition("@")[2], "x-amz-date": stamp}
    if key.token:
        signed["x-amz-security-token"] = key.token
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    path = quote(parts.path or "/", safe="/-_.~%")
    canonical = f"POST\n{path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{region}/{service}/aws4_request"
    to_sign = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signing = f"AWS4{key.secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        signing = hmac.digest(signing, part.encode(), "sha256")
    signature = hmac.new(signing, to_sign.encode(), "sha256").hexdigest()
    authorization = f"{_ALGORITHM} Credential={key.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    more = {"X-Amz-Date": stamp, "Authorization": authorization}
    if key.token:
        more["X-Amz-Security-Token"] = key.token
    return {**headers, **more}
