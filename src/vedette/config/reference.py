"""The reference of the configuration, `docs/reference/configuration.md`, made from the settings themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, cast

from vedette.config.discovery.registry import FOREIGN_KEYS
from vedette.config.schema import json_schema

_INTRODUCTION: Final = """\
# Configuration

<!-- Made from the settings by `python -m vedette.config.reference`; do not edit. -->

Vedette reads one YAML file, `vedette.yml`. Everything has a default: without a file Vedette watches its
host and itself. The file holds Vedette's own sections (`http`, `auth`, `storage`, `limits`, `query`, `rules`,
`alerts`, `host`, `self`, `logging`) and any section of a prometheus.yml, with Prometheus' names, defaults and rules.
So a prometheus.yml can be used as `vedette.yml`, or be included unchanged:

```yaml
include: [prometheus.yml, jobs/*.yml]
```

An included file's `global` holds for the jobs of that file. What it says of the whole server
(`external_labels`, `evaluation_interval`, `rule_query_offset`) counts from `vedette.yml`, or from the first
included file where `vedette.yml` has no `global`. Relative paths start at the directory of the file in which
they stand. What is accepted and has no effect is reported with its line.

`vedette check config vedette.yml` reports all errors at once, each with file, line, column and a remedy.
SIGHUP and `POST /-/reload` read the files again; a configuration with an error changes nothing.

## Values
| kind | how it is written |
| --- | --- |
| boolean | `true` or `false` |
| duration | whole numbers with the units y, w, d, h, m, s, ms, largest first: `15s`, `1m30s`, `30d`; `0` |
| size | a number with B, KB, MB, GB, TB, PB or EB, each 1024 times the one before: `64MB`; `0` |
| secret | text that is never shown; most have a sibling `..._file`, which is read again at each use |
| path | a file; a relative one starts at the directory of the configuration file |
| pattern of paths | likewise, with `*`, `?` and `[...]` |
| regular expression | [RE2](https://github.com/google/re2/wiki/Syntax) |

## Environment variables
In values of `vedette.yml` (not in keys, and not in included files):

* `${NAME}` stands for the variable's value. A variable that is not set is an error.
* `${NAME:-text}` stands for `text` where the variable is not set or empty.
* `$${` stands for a literal `${`.
* Names are letters, digits and underscores and do not start with a digit: `$1` and `${1}` stay as they are.
* What a variable holds is one value: it is not read as YAML and not expanded again.
* `regex`, `replacement` and `target_label` of relabelling rules are left alone: their `${name}` is a group.

`global.external_labels` follow Prometheus' own rule, in included files too: `$NAME`, `${NAME}` and
`${NAME:-text}` stand for variables, `$$` for a dollar sign, and a variable that is not set is empty, with a
warning.

## Secrets
Where the configuration is shown (`/api/v1/status/config`, the web interface, error messages), secrets are
`<secret>`: all options of the kind secret, values of request headers, passwords in URLs, and URL parameters
whose names say that they are secrets.
"""

_KINDS: Final = {"path": "path", "glob": "pattern of paths", "regex": "regular expression", "url": "URL"}
_CLIENT: Final = "HttpClient"
"""The settings that many others contain; described once."""


def reference() -> str:
    """The page, as Markdown."""
    schema = json_schema()
    definitions: dict[str, Any] = schema["$defs"]
    shared = definitions[_CLIENT]["properties"].keys()
    lines = [_INTRODUCTION, "## Sections", *_table(schema, definitions)]
    for name in _reading_order(schema, definitions):
        definition = definitions[name]
        if definition.get("type") != "object":
            continue
        lines += [f"## {name}", definition.get("description", ""), "", *_table(definition, definitions)]
        if name != _CLIENT and definition["properties"].keys() >= shared:
            lines += [f"Further: the options of [{_CLIENT}](#{_CLIENT.lower()}).", ""]
    lines += [
        "## Service discovery that Vedette does not have",
        "Accepted, checked as far as that is cheap, and reported with a warning; a job that has nothing else is",
        "listed as inactive: " + ", ".join(f"`{key}`" for key in sorted(FOREIGN_KEYS)) + ".",
        "",
    ]
    return "\n".join(lines)


def _table(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    yield "| option | kind | default | |"
    yield "| --- | --- | --- | --- |"
    options: dict[str, Any] = schema.get("properties", {})
    client: dict[str, Any] = definitions[_CLIENT]["properties"]
    shared = client.keys() if options.keys() > client.keys() else frozenset[str]()
    for option, value in options.items():
        if option in FOREIGN_KEYS or (option in shared and value == client[option]):
            continue
        default = _default(value)
        text = str(value.get("description", "")).replace("\n", " ").replace("|", "\\|")
        yield f"| `{option}` | {_kind(value, definitions)} | {default} | {text} |"
    yield ""


def _default(value: dict[str, Any]) -> str:
    default = value.get("default")
    if default in (None, "", [], {}):
        return ""
    text = json.dumps(default, ensure_ascii=False) if not isinstance(default, str) else default
    return "`" + text.replace("|", "\\|") + "`"


def _kind(value: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in value:
        return _named(value["$ref"], definitions)
    form = str(value.get("x-format", ""))
    options = [one for one in value.get("anyOf", ()) if one.get("type") != "null"]
    if options:
        return _kind(options[0], definitions)
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"] if one)
    kind = str(value.get("type", "text"))
    if kind == "array":
        return "list of " + _kind(value.get("items", {}), definitions)
    if kind == "object":
        return "mapping of " + _kind(value.get("additionalProperties") or {}, definitions)
    return (_KINDS.get(form, form) or "text") if kind == "string" else kind


def _named(reference: str, definitions: dict[str, Any]) -> str:
    name = reference.rpartition("/")[2]
    definition = definitions.get(name, {})
    return _kind(definition, definitions) if "enum" in definition else f"[{name}](#{name.lower()})"


def _reading_order(schema: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    """Names of definitions in the order in which a reader meets them."""
    found: dict[str, None] = {}

    def visit(value: Any) -> None:
        match value:
            case {"$ref": str() as reference}:
                name = reference.rpartition("/")[2]
                if name not in found:
                    found[name] = None
                    visit(definitions[name])
            case dict():
                for one in cast("dict[str, Any]", value).values():
                    visit(one)
            case list():
                for one in cast("list[Any]", value):
                    visit(one)
            case _:
                pass

    visit({key: value for key, value in schema.items() if key != "$defs"})
    visit({"$ref": f"#/$defs/{_CLIENT}"})
    return list(found)


if __name__ == "__main__":
    import sys

    sys.stdout.write(reference())
