"""Sections of a prometheus.yml about things that Vedette does in its own way: alerting, tracing, OTLP, runtime.

They are checked by Prometheus' rules and kept; `vedette.config.support` says what has no effect.
"""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from vedette.config.discovery import Discovering
from vedette.config.fields import DurationOption, Flag, Integer, Number, Secrets, choice
from vedette.config.http_client import RESERVED_HEADERS, TlsConfig
from vedette.config.relabel import RelabelRule
from vedette.config.remote import SigV4
from vedette.config.scrape import Scheme
from vedette.config.settings import Problem, Settings
from vedette.model.durations import Duration

Attribute = Annotated[str, AfterValidator(str.strip)]


class AlertmanagerApi(StrEnum):
    """Versions of Alertmanager's API; v1 is not served by any supported Alertmanager and is read as v2."""

    V1 = "v1"
    V2 = "v2"


class TracingClient(StrEnum):
    """How traces would be sent."""

    GRPC = "grpc"
    HTTP = "http"


class Compression(StrEnum):
    """How traces would be compressed."""

    NONE = ""
    GZIP = "gzip"


class TranslationStrategy(StrEnum):
    """How OTLP's metric names become Prometheus'."""

    UNDERSCORES = "UnderscoreEscapingWithSuffixes"
    UNDERSCORES_WITHOUT_SUFFIXES = "UnderscoreEscapingWithoutSuffixes"
    UTF8 = "NoUTF8EscapingWithSuffixes"
    NONE = "NoTranslation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alertmanager(Discovering):
    """Alertmanagers that get the alerts."""

    sigv4: SigV4 | None = None
    """Requests signed for AWS."""
    scheme: Annotated[Scheme, choice(Scheme)] = Scheme.HTTP
    """http or https."""
    path_prefix: str = ""
    """What stands before the path of the API."""
    timeout: DurationOption = Duration(10_000)
    """How long a request may take."""
    api_version: Annotated[AlertmanagerApi, choice(AlertmanagerApi)] = AlertmanagerApi.V2
    """Version of the API."""
    relabel_configs: tuple[RelabelRule, ...] = ()
    """Which of the Alertmanagers that were found to use."""
    alert_relabel_configs: tuple[RelabelRule, ...] = ()
    """Which alerts to send, and under which labels."""

    def problems(self) -> Iterable[Problem]:
        """One way to authenticate, and targets that are addresses."""
        yield from self.client_problems()
        if self.sigv4 is not None and (self.basic_auth or self.authorization or self.oauth2):
            text = "at most one of basic_auth, authorization, oauth2, & sigv4 must be configured"
            yield Problem(("sigv4",), text, "Remove all but one.")
        if not self.relabel_configs:
            for index, group in enumerate(self.static_targets()):
                for number, target in enumerate(group.targets):
                    if "/" in target:
                        path = ("static_configs", index, "targets", number)
                        yield Problem(path, f'"{target}" is not a valid hostname', "Write host:port.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting(Settings):
    """Where alerts are sent."""

    alert_relabel_configs: tuple[RelabelRule, ...] = ()
    """Which alerts to send, and under which labels."""
    alertmanagers: tuple[Alertmanager, ...] = ()
    """To whom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing(Settings):
    """Where Prometheus would send traces of itself."""

    client_type: Annotated[TracingClient, choice(TracingClient)] = TracingClient.GRPC
    """How."""
    endpoint: str = ""
    """Where: host:port. Required."""
    sampling_fraction: Number = 0.0
    """Share of requests that are traced, 0 to 1."""
    insecure: Flag = False
    """Without TLS."""
    tls_config: TlsConfig = TlsConfig()
    """TLS."""
    headers: Secrets = ()
    """Further headers."""
    compression: Annotated[Compression, choice(Compression)] = Compression.NONE
    """gzip or nothing."""
    timeout: DurationOption = Duration(10_000)
    """How long a request may take."""

    def problems(self) -> Iterable[Problem]:
        """An endpoint, and headers that nobody else sets."""
        if not self.endpoint:
            yield Problem((), "tracing endpoint must be set", "Add `endpoint`.")
        if not 0 <= self.sampling_fraction <= 1:
            yield Problem(("sampling_fraction",), "sampling_fraction must be from 0 to 1")
        for name, _ in self.headers:
            if name.lower() == "authorization":
                yield Problem(("headers", name), "custom authorization header configuration is not yet supported")
            elif name.lower() in RESERVED_HEADERS:
                yield Problem(("headers", name), f"{name} is a reserved header. It must not be changed", "Remove it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Otlp(Settings):
    """How OTLP's metrics become series."""

    promote_all_resource_attributes: Flag = False
    """Make labels of all resource attributes but the ignored ones."""
    promote_resource_attributes: tuple[Attribute, ...] = ()
    """Resource attributes that become labels."""
    ignore_resource_attributes: tuple[Attribute, ...] = ()
    """Resource attributes that do not, where all others do."""
    translation_strategy: Annotated[TranslationStrategy, choice(TranslationStrategy)] = TranslationStrategy.UNDERSCORES
    """How names are translated."""
    keep_identifying_resource_attributes: Flag = False
    """Keep service.name, service.namespace and service.instance.id in target_info too."""
    convert_histograms_to_nhcb: Flag = False
    """Make native histograms with custom buckets."""
    promote_scope_metadata: Flag = False
    """Make labels of the scope's name, version and attributes."""
    label_name_underscore_sanitization: Flag = True
    """Put `key_` before label names that start with `_`."""
    label_name_preserve_multiple_underscores: Flag = True
    """Keep several `_` in a row."""

    def problems(self) -> Iterable[Problem]:
        """Either all attributes or some."""
        if self.promote_all_resource_attributes and self.promote_resource_attributes:
            text = (
                "'promote_all_resource_attributes' and 'promote_resource_attributes' "
                "cannot be configured simultaneously"
            )
            yield Problem(("promote_resource_attributes",), text, "Remove one.")
        if self.ignore_resource_attributes and not self.promote_all_resource_attributes:
            text = "'ignore_resource_attributes' cannot be configured unless 'promote_all_resource_attributes' is true"
            yield Problem(("ignore_resource_attributes",), text)
        for option in ("promote_resource_attributes", "ignore_resource_attributes"):
            yield from _attribute_problems(option, getattr(self, option))


def _attribute_problems(option: str, attributes: tuple[str, ...]) -> Iterable[Problem]:
    seen: set[str] = set()
    for index, attribute in enumerate(attributes):
        if not attribute:
            yield Problem((option, index), f"invalid '{option}': empty OTel resource attribute", "Remove it.")
        elif attribute in seen:
            text = f"invalid '{option}': duplicated OTel resource attribute \"{attribute}\""
            yield Problem((option, index), text, "Remove it.")
        seen.add(attribute)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime(Settings):
    """Settings of Prometheus' Go runtime."""

    gogc: Integer = 75
    """Garbage collection; without meaning here."""
