"""PagerDuty, by its Events API v2 (`routing_key`) or v1 (`service_key`)."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from vedette.alerting.receivers.kind import HttpIntegration, first, needed
from vedette.alerting.settings.fields import AlertingUrl, Anything, FrozenMapping, GoDuration, Template
from vedette.alerting.settings.shared import GlobalSettings, either_problems
from vedette.config.document import kind_of
from vedette.config.fields import FileName, SecretOption
from vedette.config.secrets import Secret
from vedette.config.settings import Problem, Settings
from vedette.model.durations import Duration

DEFAULT_DETAILS: Final = {
    "firing": "{{ .Alerts.Firing | toJson }}",
    "resolved": "{{ .Alerts.Resolved | toJson }}",
    "num_firing": "{{ .Alerts.Firing | len }}",
    "num_resolved": "{{ .Alerts.Resolved | len }}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerdutyImage(Settings):
    """An image on the incident."""

    src: Template = ""
    """Address of the image."""
    alt: Template = ""
    """Text instead of it."""
    href: Template = ""
    """Where a click leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerdutyLink(Settings):
    """A link on the incident."""

    href: Template = ""
    """Where it leads."""
    text: Template = ""
    """Its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerdutySettings(HttpIntegration):
    """A service of PagerDuty."""

    kind: ClassVar[str] = "pagerduty"
    structures: ClassVar[tuple[str, ...]] = ("details",)

    service_key: SecretOption = Secret()
    """Key of an integration of the type Prometheus or Events API v1."""
    service_key_file: FileName = ""
    """File with the service key."""
    routing_key: SecretOption = Secret()
    """Key of an integration of the type Events API v2."""
    routing_key_file: FileName = ""
    """File with the routing key."""
    url: AlertingUrl = ""
    """Events API."""
    client: Template = '{{ template "pagerduty.default.client" . }}'
    """Name of this monitoring system."""
    client_url: Template = '{{ template "pagerduty.default.clientURL" . }}'
    """Link to this monitoring system."""
    description: Template = '{{ template "pagerduty.default.description" .}}'
    """What has happened."""
    details: Anything = None
    """Further facts: any structure, with templates in its texts. The usual ones are added."""
    images: tuple[PagerdutyImage, ...] = ()
    """Images."""
    links: tuple[PagerdutyLink, ...] = ()
    """Links."""
    source: Template = ""
    """What is affected; `client` where it is not set."""
    severity: Template = ""
    """critical, error, warning or info."""
    class_: Annotated[Template, Field(alias="class")] = ""
    """Kind of the event."""
    component: Template = ""
    """Part that is affected."""
    group: Template = ""
    """Group of parts."""
    timeout: GoDuration = Duration(0)
    """How long a request may take; 0 for as long as the notification may."""

    def problems(self) -> Iterable[Problem]:
        """A key, from one source."""
        keys = ("routing_key", "service_key", "routing_key_file", "service_key_file")
        yield from needed(self, "missing service or routing key in PagerDuty config", *keys)
        yield from either_problems(self, ("routing_key", "routing_key_file"), ("service_key", "service_key_file"))
        if self.details is not None and not isinstance(self.details, FrozenMapping):
            yield Problem(("details",), f"details: expected a mapping, found {kind_of(self.details)}")

    def taken(self, shared: GlobalSettings) -> dict[str, Any]:
        """The address, and the details that are not set."""
        own = dict[str, Any](self.details or ())
        return {
            **HttpIntegration.taken(self, shared),
            **first(self, shared, url="pagerduty_url"),
            "source": self.source or self.client,
            "details": FrozenMapping({**own, **{k: v for k, v in DEFAULT_DETAILS.items() if k not in own}}.items()),
        }

    def filled_problems(self) -> Iterable[Problem]:
        """An address."""
        yield from needed(self, "no global PagerDuty URL set", "url")
