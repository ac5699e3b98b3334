"""Templates of other projects: what Prometheus and Alertmanager make of them."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Mapping
from datetime import datetime
from email import message_from_bytes
from email.policy import default as default_policy
from pathlib import Path
from typing import Any, cast

import pytest
from ruamel.yaml import YAML

from vedette.alerting.records import Told
from vedette.alerting.templates import Library, NotificationFacts, alert_of, data_of, kv, notification_data
from vedette.lang.gotemplate import (
    UINT64,
    MissingKey,
    TemplateError,
    Typed,
    missing_key_of,
    string_map,
    strings,
    time,
)
from vedette.model.alerts import Alert
from vedette.model.labels import LabelSet, label_set
from vedette.rules.templates import Expansion, expand_html, expand_text

_ROOT = os.environ.get("CONFORMANCE_DIR")
_CONFORMANCE = Path(_ROOT) if _ROOT else Path(__file__).resolve().parents[3] / "shared" / "conformance"
_NOW_MS = 1_353_755_652_000
"""Of Prometheus' cases: 2012-11-24 11:14:12 UTC."""
_EXTERNAL_URL = "http://testhost:9090/path/prefix"
_MOST_INT = (1 << 63) - 1


def _cases(pattern: str) -> list[Any]:
    """One parameter for every case of all files; a skipped one where there is no data."""
    found: list[Any] = []
    for path in sorted(_CONFORMANCE.glob(pattern)):
        cases = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))["cases"]
        for number, case in enumerate(cases, 1):
            found.append(pytest.param(case, id=f"{path.stem}:{case.get('title', number)}"))
    return found or [pytest.param(None, marks=pytest.mark.skip(reason=f"no {pattern} in {_CONFORMANCE}"))]


def _plain(data: Any) -> Any:
    """Data of a case as Go has them there."""
    match data:
        case bool():
            return data
        case int() if data > _MOST_INT:
            return Typed(UINT64, data)
        case [str(), *_]:
            return strings(data)
        case list():
            return [_plain(one) for one in cast("list[Any]", data)]
        case _:
            return data


@pytest.mark.parametrize("case", _cases("templates/*.y*ml"))
def test_a_template_gives_what_it_gives_in_prometheus(case: dict[str, Any]) -> None:
    def ask(expression: str, at_ms: int) -> list[tuple[LabelSet, float]]:
        del expression
        assert at_ms == _NOW_MS
        return [(tuple(sorted(one["labels"].items())), float(one["value"])) for one in case["query_result"]]

    options = case.get("options", ())
    missing_key = missing_key_of(options) if options else MissingKey.DEFAULT
    expansion = Expansion(_NOW_MS, _EXTERNAL_URL, ask, missing_key=missing_key)
    expand = expand_html if case.get("html") else expand_text

    def expanded() -> str:
        return expand(case["template"], "test", _plain(case.get("data")), expansion)

    if not case.get("fails"):
        assert expanded() == case["output"]
        return
    with pytest.raises(TemplateError) as refused:
        expanded()
    assert case.get("error", str(refused.value)) == str(refused.value)


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


def _alert(fields: Mapping[str, Any]) -> Typed:
    pairs = {name: kv(fields[name].items()) for name in ("Labels", "Annotations") if name in fields}
    return alert_of(**{**fields, **pairs})


def _notified(data: Any) -> Any:
    """Data of a case as Alertmanager has them there."""
    match data:
        case {"time": str(text)}:
            return time(int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000)
        case {"time": datetime() as at}:
            return time(int(at.timestamp()) * 1_000_000_000)
        case {"Alerts": _}:
            return data_of(Alerts=[_alert(one) for one in data["Alerts"]])
        case {"RouteLabels": dict()}:
            return data_of(**{name: kv(pairs.items()) for name, pairs in data.items()})
        case dict():
            return string_map(cast("dict[str, str]", data))
        case _:
            return _plain(data)


@pytest.mark.parametrize("case", _cases("alertmanager/templates*.y*ml"))
def test_a_template_gives_what_it_gives_in_alertmanager(library: Library, case: dict[str, Any]) -> None:
    render = library.render_html if case.get("html") else library.render

    def rendered() -> str:
        return render(case["template"], _notified(case.get("data")), now_ms=_NOW_MS)

    if not case.get("fails"):
        assert rendered() == case["output"]
        return
    with pytest.raises(TemplateError) as refused:
        rendered()
    assert case.get("error", str(refused.value)) == str(refused.value)


def _recordings(pattern: str) -> list[Any]:
    found = [pytest.param(path, id=path.stem) for path in sorted(_CONFORMANCE.glob(pattern))]
    return found or [pytest.param(None, marks=pytest.mark.skip(reason=f"no {pattern} in {_CONFORMANCE}"))]


def _told(found: dict[str, Any], *, firing: bool) -> Told:
    starts_ms = int(datetime.fromisoformat(found["startsAt"]).timestamp() * 1000)
    annotations = tuple(sorted(found["annotations"].items()))
    labels = label_set(found["labels"])
    return Told(Alert(labels, annotations, starts_ms, starts_ms, starts_ms, found["generatorURL"]), firing)


@pytest.mark.parametrize("path", _recordings("alertmanager/notifications/*.eml"))
def test_an_email_has_the_subject_and_the_facts_of_alertmanagers(library: Library, path: Path) -> None:
    recorded = message_from_bytes(path.read_bytes(), policy=default_policy)
    subject = str(recorded["Subject"])
    body = recorded.get_body(("html",))
    assert body is not None
    theirs = body.get_content()
    alerts = [
        _told(one, firing="RESOLVED" not in subject)
        for one in json.loads((path.parent / "alerts.json").read_text(encoding="utf-8"))
        if f"] {one['labels']['alertname']} " in subject
    ]
    group = tuple((name, dict(alerts[0].alert.labels)[name]) for name in ("alertname", "cluster"))
    data = notification_data(NotificationFacts("all", alerts, group, "http://alertmanager.example.org"))

    title = library.render('{{ template "email.default.subject" . }}', data, now_ms=_NOW_MS)
    page = library.render_html('{{ template "email.default.html" . }}', data, now_ms=_NOW_MS)

    assert title == subject
    shown = html.unescape(page)
    facts = [text for one in alerts for pair in (*one.alert.labels, *one.alert.annotations) for text in pair]
    links = [found for found in re.findall(r'href="([^"]+)"', html.unescape(theirs)) if "example.org" in found]
    assert links
    assert [fact for fact in (*facts, *links, subject) if fact not in shown] == []
