"""The part of clickhouse-connect that Vedette uses."""

from collections.abc import Mapping

from clickhouse_connect.driver.client import Client

def create_client(
    *,
    host: str,
    port: int,
    username: str,
    password: str,
    secure: bool,
    settings: Mapping[str, str],
    compress: str | bool,
    form_encode_query_params: bool,
    autogenerate_session_id: bool,
    query_retries: int,
    send_receive_timeout: int,
    show_clickhouse_errors: bool,
    client_name: str,
) -> Client: ...
