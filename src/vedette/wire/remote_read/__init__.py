"""Remote read: how Prometheus and its kin ask another store for raw samples, and both forms of the answer."""

from vedette.wire.remote_read.request import (
    ReadHints,
    ReadQuery,
    ReadRequest,
    ResponseType,
    UnsupportedResponseError,
    decode_read_request,
    negotiate_response,
)
from vedette.wire.remote_read.response import (
    FRAME_BYTES,
    QueryResult,
    encode_chunked,
    encode_samples,
    response_headers,
)

__all__ = [
    "FRAME_BYTES",
    "QueryResult",
    "ReadHints",
    "ReadQuery",
    "ReadRequest",
    "ResponseType",
    "UnsupportedResponseError",
    "decode_read_request",
    "encode_chunked",
    "encode_samples",
    "negotiate_response",
    "response_headers",
]
