"""HTTP requests to others, for scraping, discovery, remote write and notifications."""

from vedette.collect.http_client.client import Fetcher, Response, ResponseStream, check_options
from vedette.collect.http_client.errors import FetchError
from vedette.collect.http_client.retry_after import MAX_RETRY_AFTER_S, parse_retry_after
from vedette.collect.http_client.tls import TlsContext
from vedette.collect.http_client.watched_file import WatchedSecret

__all__ = [
    "MAX_RETRY_AFTER_S",
    "FetchError",
    "Fetcher",
    "Response",
    "ResponseStream",
    "TlsContext",
    "WatchedSecret",
    "check_options",
    "parse_retry_after",
]
