"""What the templates of notifications see: alerts, what they share, and where to look further.

Source: Alertmanager's `template/template.go`
(https://prometheus.io/docs/alerting/latest/notifications/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from vedette.alerting.records import Told
from vedette.lang.gotemplate import (
    STRING,
    STRINGS,
    TIME,
    Field,
    Function,
    GoType,
    Kind,
    Typed,
    pointer_to,
    slice_of,
    strings,
    time,
)
from vedette.lang.gotemplate.values import zero
from vedette.model.alerts import fingerprint
from vedette.model.labels import LabelSet

_ALERT_NAME: Final = "alertname"
_MS_NS: Final = 1_000_000
_QUOTED: Final = str.maketrans({char: f"\\{char}" for char in "\\.+*?()|[]{}^$"})

# Pairs


def _names(pairs: Typed) -> Typed:
    return strings(pair.value["Name"] for pair in pairs.value or ())


def _values(pairs: Typed) -> Typed:
    return strings(pair.value["Value"] for pair in pairs.value or ())


def _pairs_text(pairs: Typed) -> str:
    return ", ".join(f"{pair.value['Name']}={pair.value['Value']}" for pair in pairs.value or ())


_PAIR: Final = GoType("template.Pair", Kind.STRUCT, fields=(Field("Name", STRING), Field("Value", STRING)))
PAIRS: Final = GoType(
    "template.Pairs",
    Kind.SLICE,
    underlying="[]template.Pair",
    elem=_PAIR,
    methods={"Names": Function(_names), "Values": Function(_values), "String": Function(_pairs_text)},
)

# Labels and annotations


def _sorted_pairs(labels: Typed) -> Typed:
    """By name, but the alert's name before all others."""
    held: Mapping[str, str] = labels.value or {}
    names = sorted(held, key=lambda name: (name != _ALERT_NAME, name))
    return Typed(PAIRS, tuple(Typed(_PAIR, {"Name": name, "Value": held[name]}) for name in names))


def _sorted_names(labels: Typed) -> Typed:
    return _names(_sorted_pairs(labels))


def _sorted_values(labels: Typed) -> Typed:
    return _values(_sorted_pairs(labels))


def _sorted_text(labels: Typed) -> str:
    return _pairs_text(_sorted_pairs(labels))


def _without(labels: Typed, names: Typed) -> Typed:
    dropped: set[str] = set(names.value or ())
    held: Mapping[str, str] = labels.value or {}
    return Typed(KV, {name: value for name, value in held.items() if name not in dropped})


_KV_METHODS: Final[dict[str, Function]] = {
    "SortedPairs": Function(_sorted_pairs),
    "Remove": Function(_without, (STRINGS,)),
    "Names": Function(_sorted_names),
    "Values": Function(_sorted_values),
    "String": Function(_sorted_text),
}
KV: Final = GoType("template.KV", Kind.MAP, underlying="map[string]string", elem=STRING, methods=_KV_METHODS)

# Alerts


def _with_status(status: str) -> Function:
    def chosen(alerts: Typed) -> Typed:
        held = alerts.value or ()
        return Typed(_ALERT_LIST, tuple(one for one in held if one.value["Status"] == status))

    return Function(chosen)


ALERT: Final = GoType(
    "template.Alert",
    Kind.STRUCT,
    fields=(
        Field("Status", STRING, "status"),
        Field("Labels", KV, "labels"),
        Field("Annotations", KV, "annotations"),
        Field("StartsAt", TIME, "startsAt"),
        Field("EndsAt", TIME, "endsAt"),
        Field("GeneratorURL", STRING, "generatorURL"),
        Field("Fingerprint", STRING, "fingerprint"),
    ),
    comparable=False,
)
_ALERT_LIST: Final = slice_of(ALERT)
ALERTS: Final = GoType(
    "template.Alerts",
    Kind.SLICE,
    underlying="[]template.Alert",
    elem=ALERT,
    methods={"Firing": _with_status("firing"), "Resolved": _with_status("resolved")},
)
DATA: Final = GoType(
    "template.Data",
    Kind.STRUCT,
    fields=(
        Field("Receiver", STRING, "receiver"),
        Field("Status", STRING, "status"),
        Field("Alerts", ALERTS, "alerts"),
        Field("NotificationReason", STRING, "notification_reason"),
        Field("GroupLabels", KV, "groupLabels"),
        Field("CommonLabels", KV, "commonLabels"),
        Field("CommonAnnotations", KV, "commonAnnotations"),
        Field("RouteLabels", KV, "routeLabels"),
        Field("ExternalURL", STRING, "externalURL"),
    ),
    comparable=False,
)
_DATA_POINTER: Final = pointer_to(DATA)


@dataclass(frozen=True, slots=True)
class NotificationFacts:
    """What a notification is about.

    Attributes:
        receiver: who is told.
        alerts: the alerts, in the order in which they are told.
        group_labels: what the group's alerts share by its route.
        external_url: where people reach this server.
        reason: why now.
        route_labels: templates of the notification's labels, by name.
    """

    receiver: str
    alerts: Sequence[Told]
    group_labels: LabelSet = ()
    external_url: str = ""
    reason: str = ""
    route_labels: Sequence[tuple[str, str]] = ()


def notification_data(facts: NotificationFacts) -> Typed:
    """The data for the templates of a notification."""
    firing = any(told.firing for told in facts.alerts)
    return data_of(
        Receiver=facts.receiver.translate(_QUOTED),
        Status="firing" if firing else "resolved",
        Alerts=Typed(ALERTS, tuple(map(_alert, facts.alerts))),
        NotificationReason=facts.reason,
        GroupLabels=kv(facts.group_labels),
        CommonLabels=kv(_common([told.alert.labels for told in facts.alerts])),
        CommonAnnotations=kv(_common([told.alert.annotations for told in facts.alerts])),
        RouteLabels=kv(facts.route_labels),
        ExternalURL=facts.external_url,
    )


def route_label(data: Any, name: str) -> str:
    """The template of a label of the notification's route; empty where there is none."""
    if type(data) is Typed and data.type is _DATA_POINTER:
        labels: Mapping[str, str] = data.value.value["RouteLabels"].value or {}
        return labels.get(name, "")
    return ""


def data_of(**fields: Any) -> Typed:
    """Data with these fields; all others are zeros. `Alerts` may be given as a list."""
    alerts = fields.get("Alerts")
    if alerts is not None and type(alerts) is not Typed:
        fields["Alerts"] = Typed(ALERTS, tuple(alerts))
    return Typed(_DATA_POINTER, _filled(DATA, fields))


def alert_of(**fields: Any) -> Typed:
    """An alert with these fields; all others are zeros."""
    return _filled(ALERT, fields)


def kv(pairs: Iterable[tuple[str, str]]) -> Typed:
    """Labels or annotations."""
    return Typed(KV, dict(pairs))


def _filled(kind: GoType, fields: Mapping[str, Any]) -> Typed:
    return Typed(kind, {**zero(kind).value, **fields})


def _alert(told: Told) -> Typed:
    alert = told.alert
    fields = {
        "Status": "firing" if told.firing else "resolved",
        "Labels": kv(alert.labels),
        "Annotations": kv(alert.annotations),
        "StartsAt": time(alert.starts_ms * _MS_NS),
        "GeneratorURL": alert.generator_url,
        "Fingerprint": fingerprint(alert.labels),
    }
    if not told.firing:
        # The end of an alert that fires is a guess, which nobody is told.
        fields["EndsAt"] = time(alert.ends_ms * _MS_NS)
    return alert_of(**fields)


def _common(sets: Sequence[LabelSet]) -> Iterable[tuple[str, str]]:
    """The pairs that all of these have."""
    if not sets:
        return ()
    shared = set(sets[0]).intersection(*sets[1:])
    return [pair for pair in sets[0] if pair in shared]
