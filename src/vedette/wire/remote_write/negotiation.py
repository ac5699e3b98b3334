"""Agree with a sender on version and encoding, from the headers of its request.

Senders choose; a receiver answers 415 to what it cannot read, and the sender tries the next thing it knows.
As in Prometheus, headers that are missing mean version 1.0 in Snappy's block format.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/ (Protocol, Required Headers).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from vedette.model.errors import VedetteError
from vedette.wire.compression import Encoding, parse_encoding

MEDIA_TYPE: Final = "application/x-protobuf"
VERSION_HEADER: Final = "X-Prometheus-Remote-Write-Version"


class UnsupportedMediaError(VedetteError):
    """The client sends a format that Vedette cannot read: answer 415, so that it tries another."""


class Version(Enum):
    """The messages of remote write, by their full names."""

    V1 = "prometheus.WriteRequest"
    V2 = "io.prometheus.write.v2.Request"


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What a body is."""

    version: Version
    encoding: Encoding


def negotiate(content_type: str, content_encoding: str, version_header: str = "") -> Negotiated:
    """What the body of a request is, going by its headers ("" for one that is missing).

    Version 1 senders name their protocol version (`0.1.0`) in `version_header`, version 2 senders `2.0.0`;
    the message is what `content_type` says, and the header counts only for its major version being known.

    Raises:
        UnsupportedMediaError: nothing that Vedette reads.
    """
    version = _parse_version(content_type)
    major = version_header.strip().partition(".")[0]
    if major not in {"", "0", "1", "2"}:
        raise UnsupportedMediaError(
            f'remote-write version "{version_header[:40]}" is not supported; 0.1.0 and 2.0.0 are'
        )
    encoding = Encoding.SNAPPY if not content_encoding.strip() else parse_encoding(content_encoding)
    if encoding is None:
        raise UnsupportedMediaError(
            f'content encoding "{content_encoding[:40]}" is not supported; use {", ".join(Encoding)}'
        )
    return Negotiated(version, encoding)


def request_headers(version: Version) -> dict[str, str]:
    """The headers of a request to another store, whose body is packed with Snappy's block format."""
    headers = {"Content-Encoding": Encoding.SNAPPY.value}
    match version:
        case Version.V1:
            # Without the message's name, which servers from before version 2.0 do not expect.
            return headers | {"Content-Type": MEDIA_TYPE, VERSION_HEADER: "0.1.0"}
        case Version.V2:
            return headers | {"Content-Type": f"{MEDIA_TYPE};proto={version.value}", VERSION_HEADER: "2.0.0"}


def written_headers(*, samples: int, histograms: int, exemplars: int) -> dict[str, str]:
    """The headers by which a receiver tells what it stored; version 2.0 wants them in every answer."""
    return {
        "X-Prometheus-Remote-Write-Samples-Written": str(samples),
        "X-Prometheus-Remote-Write-Histograms-Written": str(histograms),
        "X-Prometheus-Remote-Write-Exemplars-Written": str(exemplars),
    }


def _parse_version(content_type: str) -> Version:
    media_type, *parameters = content_type.split(";")
    if media_type.strip().lower() not in {"", MEDIA_TYPE}:
        raise UnsupportedMediaError(f'content type "{content_type[:100]}" is not supported; use {MEDIA_TYPE}')
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "proto":
            message = value.strip().strip('"')
            try:
                return Version(message)
            except ValueError as exc:
                raise UnsupportedMediaError(
                    f'message "{message[:100]}" is not supported; use {Version.V1.value} or {Version.V2.value}'
                ) from exc
    return Version.V1
