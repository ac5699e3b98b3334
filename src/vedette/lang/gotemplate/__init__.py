"""Go's templates: `text/template` and `html/template`, contained.

Templates of rules, notifications and pages are written in Go's language. They see the values that they are given and
call the functions that they are given; there is nothing else that they could reach.
"""

from vedette.lang.gotemplate.calendar import UTC_ZONE, Instant
from vedette.lang.gotemplate.errors import (
    FunctionError,
    LimitError,
    TemplateError,
    TemplateExecutionError,
    TemplateSyntaxError,
)
from vedette.lang.gotemplate.execution import MissingKey
from vedette.lang.gotemplate.html.escapers import HTML, URL, safe_html, safe_url
from vedette.lang.gotemplate.json_text import to_json
from vedette.lang.gotemplate.kinds import (
    ANY,
    ANYTHINGS,
    BOOL,
    BY_CHARACTER,
    FLOAT64,
    INT,
    INT64,
    MAP_ANY,
    MAP_STRING,
    STRING,
    STRINGS,
    UINT64,
    Field,
    Function,
    Functions,
    GoType,
    Kind,
    map_of,
    pointer_to,
    slice_of,
    struct_of,
)
from vedette.lang.gotemplate.layouts import format_time, parse_time
from vedette.lang.gotemplate.limits import Budget, Limits
from vedette.lang.gotemplate.template import Template, TemplateSet, missing_key_of, parse
from vedette.lang.gotemplate.times import DURATION, TIME, duration, in_zone, time
from vedette.lang.gotemplate.values import Typed, payload, string_map, strings, type_of

__all__ = [
    "ANY",
    "ANYTHINGS",
    "BOOL",
    "BY_CHARACTER",
    "DURATION",
    "FLOAT64",
    "HTML",
    "INT",
    "INT64",
    "MAP_ANY",
    "MAP_STRING",
    "STRING",
    "STRINGS",
    "TIME",
    "UINT64",
    "URL",
    "UTC_ZONE",
    "Budget",
    "Field",
    "Function",
    "FunctionError",
    "Functions",
    "GoType",
    "Instant",
    "Kind",
    "LimitError",
    "Limits",
    "MissingKey",
    "Template",
    "TemplateError",
    "TemplateExecutionError",
    "TemplateSet",
    "TemplateSyntaxError",
    "Typed",
    "duration",
    "format_time",
    "in_zone",
    "map_of",
    "missing_key_of",
    "parse",
    "parse_time",
    "payload",
    "pointer_to",
    "safe_html",
    "safe_url",
    "slice_of",
    "string_map",
    "strings",
    "struct_of",
    "time",
    "to_json",
    "type_of",
]
