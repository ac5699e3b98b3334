"""Relabelling cases of Prometheus, and which rules it accepts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML

from vedette.config.relabel import NameScheme, RelabelRule
from vedette.ingest.relabel import apply
from vedette.model.labels import label_set

ROOT = Path(__file__).parents[2]
DATA = ROOT / os.environ.get("CONFORMANCE_DIR", "../shared/conformance") / "relabel"

RULE = TypeAdapter(RelabelRule)


def _cases(key: str) -> list[Any]:
    found: list[Any] = []
    for path in sorted(DATA.glob("*.yaml")):
        for number, case in enumerate(YAML(typ="safe", pure=True).load(path.read_text())["cases"]):
            if key in case:
                found.append(pytest.param(case, id=f"{path.stem}-{number}"))
    return found or [pytest.param(None, marks=pytest.mark.skip(reason=f"{DATA} is absent"))]


@pytest.mark.parametrize("case", _cases("relabel_configs"))
def test_a_label_set_is_relabelled_as_prometheus_does(case: dict[str, Any]) -> None:
    rules = [RULE.validate_python(rule) for rule in case["relabel_configs"]]

    after = apply(label_set(case["input"]), rules)

    assert after == (None if case.get("dropped") else label_set(case["output"]))


@pytest.mark.parametrize("case", _cases("config"))
def test_a_rule_is_accepted_or_refused_as_prometheus_does(case: dict[str, Any]) -> None:
    options = dict(case["config"])
    scheme = NameScheme(options.pop("name_validation_scheme"))

    try:
        valid = not list(RULE.validate_python(options).scheme_problems(scheme))
    except ValidationError:
        valid = False

    assert valid is case["valid"]
