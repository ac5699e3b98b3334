"""How to reach an API server: in the cluster, by a kubeconfig file, or by its URL."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from vedette.config.discovery import KubernetesDiscovery
from vedette.config.document import parse_document
from vedette.config.http_client import Authorization, BasicAuth, HttpClient, TlsConfig
from vedette.config.secrets import Secret
from vedette.model.errors import UnavailableError

SERVICE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"


@dataclass(frozen=True, slots=True)
class Connection:
    """An API server and how to speak to it.

    Attributes:
        url: without a slash at its end.
        client: credentials and TLS.
        own_namespace: the namespace of this pod; empty outside of a cluster.
    """

    url: str
    client: HttpClient
    own_namespace: str = ""


def connection_of(
    settings: KubernetesDiscovery, environment: Mapping[str, str], *, service_account: str = SERVICE_ACCOUNT
) -> Connection:
    """The connection that settings ask for. Reads small files.

    Raises:
        UnavailableError: this is no pod, or a file does not say what is needed.
    """
    if settings.kubeconfig_file:
        return _from_kubeconfig(settings.kubeconfig_file)
    if settings.api_server:
        return Connection(settings.api_server.rstrip("/"), settings)
    return _in_cluster(environment, service_account)


def _in_cluster(environment: Mapping[str, str], service_account: str) -> Connection:
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        raise UnavailableError(
            "this is no pod of a cluster (KUBERNETES_SERVICE_HOST is not set); "
            "set `api_server` or `kubeconfig_file` in kubernetes_sd_configs"
        )
    client = HttpClient(
        authorization=Authorization(credentials_file=f"{service_account}/token"),
        tls_config=TlsConfig(ca_file=f"{service_account}/ca.crt"),
    )
    try:
        namespace = Path(service_account, "namespace").read_text(encoding="utf-8").strip()
    except OSError:
        namespace = ""
    return Connection(f"https://{f'[{host}]' if ':' in host else host}:{port}", client, namespace)


def _from_kubeconfig(file: str) -> Connection:
    try:
        document = parse_document(Path(file).read_bytes(), file=file)
    except OSError as exc:
        raise UnavailableError(f"{file} cannot be read: {exc.strerror}") from exc
    config = _Section(document.root.plain(), file, "")
    context = config.named("contexts", "context", config.text("current-context"))
    cluster = config.named("clusters", "cluster", context.text("cluster"))
    user_name = context.text("user")
    user = config.named("users", "user", user_name) if user_name else _Section({}, file, "user")
    if "exec" in user.content or "auth-provider" in user.content:
        raise UnavailableError(f"{file}: user {user_name!r} logs in by a program, which is not supported; use a token")
    server = cluster.text("server")
    if not server:
        raise UnavailableError(f"{file}: the cluster {context.text('cluster')!r} has no server")
    tls = TlsConfig(
        ca=cluster.decoded("certificate-authority-data"),
        ca_file="" if cluster.text("certificate-authority-data") else cluster.path("certificate-authority"),
        cert=user.decoded("client-certificate-data"),
        cert_file="" if user.text("client-certificate-data") else user.path("client-certificate"),
        key=Secret(user.decoded("client-key-data")),
        key_file="" if user.text("client-key-data") else user.path("client-key"),
        server_name=cluster.text("tls-server-name"),
        insecure_skip_verify=cluster.text("insecure-skip-tls-verify") == "true",
    )
    token_file = user.path("tokenFile")
    token = Secret("" if token_file else user.text("token"))
    basic = BasicAuth(username=user.text("username"), password=Secret(user.text("password")))
    client = HttpClient(
        authorization=Authorization(credentials=token, credentials_file=token_file) if token or token_file else None,
        basic_auth=basic if basic.username and not (token or token_file) else None,
        tls_config=tls,
        proxy_url=cluster.text("proxy-url"),
    )
    return Connection(server.rstrip("/"), client)


class _Section:
    """A mapping of a kubeconfig file."""

    def __init__(self, content: Any, file: str, place: str) -> None:
        self.content = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
        self._file = file
        self._place = place

    def text(self, key: str) -> str:
        """A value's text; empty where it is not set."""
        value = self.content.get(key, "")
        return value if isinstance(value, str) else ""

    def path(self, key: str) -> str:
        """A path, which counts from the file's directory."""
        value = self.text(key)
        return os.path.join(os.path.dirname(self._file), value) if value else ""  # noqa: PTH118, PTH120 - "" stays

    def decoded(self, key: str) -> str:
        """PEM text that is written in base 64.

        Raises:
            UnavailableError: it is not.
        """
        try:
            return base64.b64decode(self.text(key), validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError) as exc:
            raise UnavailableError(f"{self._file}: {self._place} {key} is not PEM in base 64") from exc

    def named(self, plural: str, singular: str, name: str) -> _Section:
        """The entry of this name in a list of `{name: ..., <singular>: {...}}`.

        Raises:
            UnavailableError: there is none.
        """
        entries: Any = self.content.get(plural, [])
        for entry in cast("list[Any]", entries) if isinstance(entries, list) else []:
            section = _Section(entry, self._file, singular)
            if section.text("name") == name:
                return _Section(section.content.get(singular), self._file, f"{singular} {name}")
        raise UnavailableError(f"{self._file}: there is no {singular} {name!r} under `{plural}`")
