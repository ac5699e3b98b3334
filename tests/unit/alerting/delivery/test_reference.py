from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from vedette.alerting.delivery import DeliverySettings
from vedette.alerting.receivers import KINDS, Integration

TEXT = (Path(__file__).parents[4] / "docs/reference/receivers.md").read_text(encoding="utf-8")
OF_ALL = {"send_resolved", "digest", "http_config"}


def section(kind: str) -> str:
    found = re.search(rf"^## [^\n]*`{kind}_configs`\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no section about {kind}_configs"
    return found[1]


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.kind) for kind in KINDS if kind.delivered])
def test_the_reference_names_every_option_and_no_other(kind: type[Integration]) -> None:
    options = {field.name.rstrip("_") for field in dataclasses.fields(kind)} - OF_ALL

    assert set(re.findall(r"^\| `(\w+)`", section(kind.kind), re.MULTILINE)) == options


def test_the_reference_says_which_kinds_are_not_sent_to() -> None:
    assert all(f"`{kind.kind}`" in TEXT for kind in KINDS if not kind.delivered)


def test_the_reference_names_every_limit() -> None:
    assert all(f"`{field.name}`" in TEXT for field in dataclasses.fields(DeliverySettings))
