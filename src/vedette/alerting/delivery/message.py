"""A message as kinds of receivers see it: what is told, and what templates make of it.

Digests and summaries are told with the same templates as groups of alerts: their group label says what they are, and
each alert of a digest has an annotation `digest` that says what happened to it.

Source: Alertmanager's `notify.GetTemplateData` and `notify.Key`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from vedette.alerting.delivery.faults import DeliveryError, Reason
from vedette.alerting.delivery.values import expand
from vedette.alerting.digest import DigestItem
from vedette.alerting.notification_log import Reason as Why
from vedette.alerting.records import Form, Notify, Told
from vedette.alerting.settings.fields import thaw
from vedette.alerting.templates import LIMITS, NotificationFacts, notification_data
from vedette.lang.gotemplate import Budget, FunctionError, TemplateError, Typed, to_json
from vedette.model.labels import LabelSet, label_set

_REASONS: Final = {
    Why.NEW_ALERTS: "new alerts added",
    Why.NEW_RESOLVED: "some alerts resolved",
}
"""What Alertmanager calls reasons, where it is not what they are called here."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Render(Protocol):
    """Executes templates; `vedette.alerting.templates.Library` does."""

    def render(self, text: str, data: Any, *, now_ms: int) -> str:
        """What a text gives."""
        ...

    def render_html(self, text: str, data: Any, *, now_ms: int) -> str:
        """What a text of HTML gives, with values escaped by where they stand."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A message that is to be composed. Rendering it may take a while: a worker thread's job.

    Attributes:
        notify: what the machine has decided.
        alerts: what is told.
        data: what templates see.
        now_ms: the time, milliseconds since the epoch.
    """

    notify: Notify
    alerts: tuple[Told, ...]
    data: Typed
    now_ms: int
    _render: Render
    _facts: NotificationFacts

    @property
    def key(self) -> str:
        """A name of what this is about: the same from the first message about it to the last, 64 digits."""
        return hashlib.sha256(self.notify.group_key.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def firing(self) -> bool:
        """Whether any of its alerts is firing."""
        return any(told.firing for told in self.alerts)

    @property
    def common_labels(self) -> dict[str, str]:
        """The labels that all alerts have."""
        return dict[str, str](self.data.value.value["CommonLabels"].value or {})

    def text(self, template: str) -> str:
        """What a template gives.

        Raises:
            DeliveryError: it cannot be executed.
        """
        try:
            return _SURROGATE.sub("\ufffd", self._render.render(template, self.data, now_ms=self.now_ms))
        except TemplateError as exc:
            raise DeliveryError(f"a template fails: {exc}", permanent=True) from exc

    def html(self, template: str) -> str:
        """What a template of HTML gives.

        Raises:
            DeliveryError: it cannot be executed.
        """
        try:
            return _SURROGATE.sub("\ufffd", self._render.render_html(template, self.data, now_ms=self.now_ms))
        except TemplateError as exc:
            raise DeliveryError(f"a template fails: {exc}", permanent=True) from exc

    def structure(self, frozen: Any) -> Any:
        """A structure of the configuration, with what its templates give.

        Raises:
            DeliveryError: one cannot be executed.
        """
        return expand(thaw(frozen), self.text)

    def data_json(self, most_alerts: int = 0) -> str:
        """The data of templates as JSON, with at most so many alerts; 0 for all.

        Raises:
            DeliveryError: it becomes too long.
        """
        data = self.data
        if most_alerts and len(self.alerts) > most_alerts:
            data = notification_data(dataclasses.replace(self._facts, alerts=self.alerts[:most_alerts]))
        try:
            return to_json(data, Budget(LIMITS))
        except (TemplateError, FunctionError) as exc:
            raise DeliveryError(
                f"the alerts cannot be told as JSON: {exc}", reason=Reason.OTHER, permanent=True
            ) from exc


def message_of(notify: Notify, render: Render, *, external_url: str, now_ms: int) -> Message:
    """A message, ready to be composed.

    Args:
        notify: what the machine has decided.
        render: executes templates.
        external_url: where people reach this server.
        now_ms: the time, milliseconds since the epoch.
    """
    alerts = notify.alerts
    if notify.form is Form.DIGEST:
        alerts = tuple(map(_item, notify.items))
    facts = NotificationFacts(
        receiver=notify.address.receiver,
        alerts=alerts,
        group_labels=_group_labels(notify),
        external_url=external_url,
        reason=_reason(notify),
        route_labels=notify.route_labels,
    )
    return Message(notify, alerts, notification_data(facts), now_ms, render, facts)


def _reason(notify: Notify) -> str:
    """Why the message is sent, as templates and webhooks are told."""
    return str(notify.form) if notify.reason is None else _REASONS.get(notify.reason, str(notify.reason))


def _group_labels(notify: Notify) -> LabelSet:
    """What the alerts have in common; of digests and summaries, what they are."""
    more = f", {notify.omitted} more not shown" if notify.omitted else ""
    match notify.form:
        case Form.DIGEST:
            since = _minute(min((one.first_ms for one in notify.items), default=notify.at_ms))
            fired, resolved = sum(one.fired for one in notify.items), sum(one.resolved for one in notify.items)
            return label_set({"digest": f"Digest since {since}: {fired} fired, {resolved} resolved{more}"})
        case Form.SUMMARY:
            groups = len(notify.alerts) + notify.omitted
            return label_set({"summary": f"Many notifications at once: {groups} alerts in one message{more}"})
        case Form.GROUP:
            return notify.group_labels


def _item(item: DigestItem) -> Told:
    """An alert of a digest."""
    alert = item.alert
    happened = f"fired {item.fired} times, resolved {item.resolved} times, last change {_minute(item.last_ms)}"
    annotations = label_set({**dict(alert.annotations), "digest": happened})
    return Told(dataclasses.replace(alert, annotations=annotations), item.firing)


def _minute(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
