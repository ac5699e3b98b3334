"""Remote write: what Prometheus and its kin push, decoded to columns and encoded from them.

`negotiate` says what a body is, `vedette.wire.compression` unpacks it, `decode_write_request` makes columns
of it, and a `LabelCache` finds the series that are known. The other way: `encode_v1` and `encode_v2`.
"""

from typing import Final

from vedette.wire.remote_write.cache import UNKNOWN, LabelCache
from vedette.wire.remote_write.encode import (
    encode_exemplars_v1,
    encode_labels_v1,
    encode_metadata_v1,
    encode_v1,
    encode_v2,
)
from vedette.wire.remote_write.negotiation import (
    MEDIA_TYPE,
    VERSION_HEADER,
    Negotiated,
    UnsupportedMediaError,
    Version,
    negotiate,
    request_headers,
    written_headers,
)
from vedette.wire.remote_write.request import WriteRequest
from vedette.wire.remote_write.siphash import HashKey
from vedette.wire.remote_write.v1 import decode_v1
from vedette.wire.remote_write.v2 import decode_v2

__all__ = [
    "MAX_SAMPLES",
    "MAX_SERIES",
    "MEDIA_TYPE",
    "UNKNOWN",
    "VERSION_HEADER",
    "HashKey",
    "LabelCache",
    "Negotiated",
    "UnsupportedMediaError",
    "Version",
    "WriteRequest",
    "decode_write_request",
    "encode_exemplars_v1",
    "encode_labels_v1",
    "encode_metadata_v1",
    "encode_v1",
    "encode_v2",
    "negotiate",
    "request_headers",
    "written_headers",
]

MAX_SERIES: Final = 200_000
"""Of one request; senders' defaults are 2,000 to 10,000."""

MAX_SAMPLES: Final = 2_000_000
"""Of one request."""


def decode_write_request(
    body: bytes,
    version: Version,
    *,
    key: HashKey,
    max_series: int = MAX_SERIES,
    max_samples: int = MAX_SAMPLES,
) -> WriteRequest:
    """Decode a body that is unpacked already.

    Args:
        body: the protobuf message.
        version: which message it is.
        key: what to hash label bytes with: the `LabelCache`'s.
        max_series: the most time series, and also symbols and metadata, that it may hold.
        max_samples: the most samples, and also exemplars and native histograms, that it may hold.

    Raises:
        DecodeError: the message is malformed; the text gives the byte.
        LimitExceededError: it holds too many series or samples.
    """
    match version:
        case Version.V1:
            return decode_v1(body, key=key, max_series=max_series, max_samples=max_samples)
        case Version.V2:
            return decode_v2(body, key=key, max_series=max_series, max_samples=max_samples)
