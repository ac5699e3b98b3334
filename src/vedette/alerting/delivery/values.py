"""Structures of a configuration whose texts are templates: what PagerDuty's details and Jira's fields become as JSON.

What a template gives is read as Alertmanager reads it (`template.DeepCopyWithTemplate`): `3` is a number, `true` a
flag, nothing is null, and a list or mapping in JSON is one. Alertmanager reads any YAML, and executes templates in
what came out once more; here labels and annotations of alerts cannot become templates or YAML.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, cast

import orjson

_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?")
_CONSTANTS: Final[dict[str, Any]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DEEPEST: Final = 32


def expand(value: Any, text: Callable[[str], str], depth: int = 0) -> Any:
    """A structure with what its templates give.

    Args:
        value: mappings, lists and scalars.
        text: executes a template.
        depth: how deep `value` stands in others.
    """
    if isinstance(value, str):
        return meaning(text(value))
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        return {text(name): expand(item, text, depth + 1) for name, item in found.items()}
    if isinstance(value, list):
        return [expand(item, text, depth + 1) for item in cast("list[Any]", value)]
    return value


def meaning(text: str) -> Any:
    """What a text means: a number, a flag, null, a structure in JSON, or else itself."""
    bare = text.strip()
    if bare in _CONSTANTS:
        return _CONSTANTS[bare]
    if _INT.fullmatch(bare):
        return int(bare)
    if _FLOAT.fullmatch(bare):
        return float(bare)
    if bare[0] in "[{":
        try:
            return orjson.loads(bare)
        except orjson.JSONDecodeError:
            return text
    return text
