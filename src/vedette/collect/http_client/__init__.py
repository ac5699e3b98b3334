"""HTTP requests to others, for scraping, discovery and remote write."""

from vedette.collect.http_client.client import Fetcher, Response, ResponseStream, check_options
from vedette.collect.http_client.errors import FetchError

__all__ = ["FetchError", "Fetcher", "Response", "ResponseStream", "check_options"]
