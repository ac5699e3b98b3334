"""A configuration as YAML, for people: secrets are not shown.

Options at their default are left out unless all are asked for. Jobs are shown as they are used, with what
they take from `global`.
"""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterable
from enum import Enum
from typing import Any

from ruamel.yaml import YAML

from vedette.config.alerts import AlertmanagerText
from vedette.config.config import Config
from vedette.config.discovery import DiscoverySettings, ForeignDiscovery, discovery_key
from vedette.config.secrets import REDACTED, Secret, is_secret_name, mask_url
from vedette.config.settings import Settings, ordered_fields
from vedette.model.durations import Duration, Size

_RENAMED = {"jobs": "scrape_configs", "alertmanager": "alertmanager_file"}


def render(config: Config | Settings, *, redact: bool = True, defaults: bool = False) -> str:
    """Settings as YAML.

    Args:
        config: the whole or a part.
        redact: whether secrets (also passwords in URLs, and parameters and headers that are named like
            secrets) are replaced by `<secret>`. Without it the text holds every secret.
        defaults: whether options at their default are shown too, where they say something.
    """
    out = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.allow_unicode = True
    writer.width = 4096
    writer.sort_base_mapping_type_on_output = False
    writer.dump(as_mapping(config, redact=redact, defaults=defaults), out)
    return out.getvalue()


def as_mapping(settings: Any, *, redact: bool = True, defaults: bool = False) -> dict[str, Any]:
    """Settings as they would be written: text, numbers, lists and mappings."""
    shown: dict[str, Any] = {}
    for field in _fields(settings):
        value = getattr(settings, field.name)
        key = _RENAMED.get(field.name, field.name.removesuffix("_"))
        if field.name == "discovery":
            for one in value:
                kind, entry = _discovery(one, redact=redact, defaults=defaults)
                shown.setdefault(kind, []).append(entry)
        elif isinstance(value, AlertmanagerText) and value.section:
            continue  # only alerting can tell its secrets from the rest, and shows it
        elif (defaults and value not in (None, ())) or value != field.default:
            shown[key] = _shown(value, key, redact=redact, defaults=defaults)
    return shown


def _fields(settings: Any) -> Iterable[dataclasses.Field[Any]]:
    return ordered_fields(type(settings)) if isinstance(settings, Settings) else dataclasses.fields(settings)


def _discovery(one: DiscoverySettings, *, redact: bool, defaults: bool) -> tuple[str, Any]:
    if isinstance(one, ForeignDiscovery):
        return discovery_key(one.name), json.loads(one.options)
    return discovery_key(one.kind), as_mapping(one, redact=redact, defaults=defaults)


def _shown(value: Any, key: str, *, redact: bool, defaults: bool) -> Any:  # noqa: PLR0911 - one line for each kind
    match value:
        case Secret():
            return (REDACTED if value else "") if redact else value.value
        case Settings():
            return as_mapping(value, redact=redact, defaults=defaults)
        case Duration() | Size() | Enum():
            return str(value)
        case tuple():
            return _many(value, key, redact=redact, defaults=defaults)  # pyright: ignore[reportUnknownArgumentType]
        case AlertmanagerText():
            return value.file
        case str() if redact:
            return mask_url(value)
        case _:
            return value


def _many(values: tuple[Any, ...], key: str, *, redact: bool, defaults: bool) -> Any:
    if values and all(_is_pair(one) for one in values):
        return {
            name: REDACTED
            if redact and key == "params" and is_secret_name(name)
            else _shown(value, name, redact=redact, defaults=defaults)
            for name, value in values
        }
    return [_shown(one, key, redact=redact, defaults=defaults) for one in values]


def _is_pair(value: Any) -> bool:
    """Whether a value is an entry of a mapping, which settings keep as pairs."""
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)  # pyright: ignore[reportUnknownArgumentType]
