from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vedette.config.reference import reference
from vedette.config.schema import json_schema

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


def options(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, definition in {"": schema, **schema["$defs"]}.items():
        for option, value in definition.get("properties", {}).items():
            yield f"{name}.{option}", value


def test_every_option_is_described() -> None:
    assert [name for name, value in options(json_schema()) if not value.get("description")] == []


def test_every_section_refuses_unknown_options() -> None:
    sections = [d for d in json_schema()["$defs"].values() if d.get("type") == "object"]

    assert len(sections) > 30
    assert all(section["additionalProperties"] is False for section in sections)


def test_every_reference_leads_somewhere() -> None:
    schema = json_schema()
    text = json.dumps(schema)

    for part in text.split('"#/$defs/')[1:]:
        assert part.partition('"')[0] in schema["$defs"]


def test_all_kinds_of_discovery_are_options_of_a_job() -> None:
    job = json_schema()["$defs"]["ScrapeConfig"]["properties"]

    assert {"static_configs", "kubernetes_sd_configs", "consul_sd_configs"} <= job.keys()
    assert "discovery" not in job
    assert next(iter(job)) == "job_name"


def test_the_reference_in_the_documentation_is_the_one_that_the_settings_make() -> None:
    assert PAGE.read_text() == reference(), "run: python -m vedette.config.reference > docs/reference/configuration.md"
