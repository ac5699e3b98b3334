"""Make values safe for the places where they stand.

What cannot be made safe becomes `ZgotmplZ`, which is harmless everywhere and easy to search for.

Source: Go's `html/template`: `html.go`, `js.go`, `css.go`, `url.go`, `content.go`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from vedette.lang.gotemplate.builtins import printable, shown
from vedette.lang.gotemplate.errors import FunctionError, LimitError
from vedette.lang.gotemplate.html.attributes import Content, attribute_content
from vedette.lang.gotemplate.html.contexts import IN_TAG, Context, Delim, Element, State
from vedette.lang.gotemplate.html.css import decode_css
from vedette.lang.gotemplate.html.transitions import step
from vedette.lang.gotemplate.json_text import to_json
from vedette.lang.gotemplate.kinds import ANY, Function, Functions, GoType, Kind
from vedette.lang.gotemplate.limits import Budget
from vedette.lang.gotemplate.printing import sprint
from vedette.lang.gotemplate.text import to_bytes
from vedette.lang.gotemplate.values import Typed, indirect, type_of, unboxed

UNSAFE: Final = "ZgotmplZ"


def _text_type(name: str) -> GoType:
    return GoType(f"template.{name}", Kind.STRING, underlying="string")


CSS: Final = _text_type("CSS")
HTML: Final = _text_type("HTML")
HTML_ATTR: Final = _text_type("HTMLAttr")
JS: Final = _text_type("JS")
JS_STRING: Final = _text_type("JSStr")
URL: Final = _text_type("URL")
SRCSET: Final = _text_type("Srcset")

_CONTENT: Final[Mapping[GoType, Content]] = {
    CSS: Content.CSS,
    HTML: Content.HTML,
    HTML_ATTR: Content.HTML_ATTR,
    JS: Content.JS,
    JS_STRING: Content.JS_STRING,
    URL: Content.URL,
    SRCSET: Content.SRCSET,
}


def safe_html(text: str) -> Typed:
    """A text that is HTML already."""
    return Typed(HTML, text)


def safe_url(text: str) -> Typed:
    """A text that is a URL, or a part of one, already."""
    return Typed(URL, text)


def _text_of(budget: Budget, values: tuple[Any, ...]) -> tuple[str, Content]:
    """Values as text, and what that text is."""
    if len(values) == 1:
        value, _ = indirect(values[0])
        if type(value) is str:
            return value, Content.PLAIN
        if type(value) is Typed and value.type in _CONTENT:
            return value.value, _CONTENT[value.type]
    return sprint([printable(value) for value in values if unboxed(value) is not None], budget), Content.PLAIN


# HTML

_HTML: Final = {0: "\ufffd", 34: "&#34;", 38: "&amp;", 39: "&#39;", 43: "&#43;", 60: "&lt;", 62: "&gt;"}
_HTML_AGAIN: Final = {code: text for code, text in _HTML.items() if code != ord("&")}
_NONCHARACTERS: Final = {code: f"&#x{code:x};" for code in (*range(0xFDD0, 0xFDF0), *range(0xFFF0, 0x10000))}
_NO_SPACE_AGAIN: Final = {
    **_HTML_AGAIN,
    **_NONCHARACTERS,
    0: "&#xfffd;",
    **{ord(char): f"&#{ord(char)};" for char in "\t\n\v\f\r =`"},
}
_NO_SPACE: Final = {**_NO_SPACE_AGAIN, 38: "&amp;"}
_VALUE_END: Final = {
    Delim.DOUBLE_QUOTE: re.compile('"'),
    Delim.SINGLE_QUOTE: re.compile("'"),
    Delim.SPACE_OR_TAG_END: re.compile("[ \t\n\f\r>]"),
}
_PLAIN_NAME = re.compile(r"[0-9a-z]+\Z")


def _html(budget: Budget, *values: Any) -> str | Typed:
    text, content = _text_of(budget, values)
    return text if content is Content.HTML else text.translate(_HTML)


def _rcdata(budget: Budget, *values: Any) -> str:
    text, content = _text_of(budget, values)
    return text.translate(_HTML_AGAIN if content is Content.HTML else _HTML)


def _attribute(budget: Budget, *values: Any) -> str:
    text, content = _text_of(budget, values)
    if content is Content.HTML:
        return _strip_tags(text).translate(_HTML_AGAIN)
    return text.translate(_HTML)


def _unquoted(budget: Budget, *values: Any) -> str:
    text, content = _text_of(budget, values)
    if not text:
        return UNSAFE
    if content is Content.HTML:
        return _strip_tags(text).translate(_NO_SPACE_AGAIN)
    return text.translate(_NO_SPACE)


def _comment(*_: Any) -> str:
    return ""


def _name(budget: Budget, *values: Any) -> str:
    """A part of the name of an attribute or of a tag."""
    text, content = _text_of(budget, values)
    if content is Content.HTML_ATTR:
        return text
    text = text.lower()
    if attribute_content(text) is not Content.PLAIN or not _PLAIN_NAME.match(text):
        return UNSAFE
    return text


def _strip_tags(html: str) -> str:
    """The text of a piece of HTML."""
    out: list[str] = []
    context, at, end = Context(), 0, len(html)
    all_text = True
    while at != end:
        if context.delim is not Delim.NONE:
            found = _VALUE_END[context.delim].search(html, at)
            if found is None:
                break
            at = found.end() if context.delim is not Delim.SPACE_OR_TAG_END else found.start()
            context = Context(State.TAG, element=context.element)
            continue
        state = context.state
        if context.element is not Element.NONE and state not in IN_TAG:
            state = State.RCDATA
        after, stop = _step_as(state, context, html, at, end)
        if context.state in (State.TEXT, State.RCDATA):
            text_end = stop
            if after.state is not context.state:
                mark = html.rfind("<", at, stop)
                text_end = mark if mark >= 0 else stop
            out.append(html[at:text_end])
        else:
            all_text = False
        context, at = after, stop
    if all_text:
        return html
    if context.state in (State.TEXT, State.RCDATA):
        out.append(html[at:])
    return "".join(out)


def _step_as(state: State, context: Context, html: str, at: int, end: int) -> tuple[Context, int]:
    if state is context.state:
        return step(context, html, at, end)
    after, stop = step(Context(state, element=context.element), html, at, end)
    return (context if after.state is state else after), stop


# JavaScript

_JS_LOW: Final = {
    **{code: f"\\u{code:04x}" for code in range(0x20)},
    **{ord(char): f"\\{letter}" for char, letter in zip("\t\n\f\r", "tnfr", strict=True)},
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}
_JS_STRING_AGAIN: Final = {
    **_JS_LOW,
    **{ord(char): f"\\u{ord(char):04x}" for char in "\"&'`+<>"},
    ord("/"): "\\/",
}
_JS_STRING: Final = {**_JS_STRING_AGAIN, ord("\\"): "\\\\"}
_JS_TEMPLATE: Final = {**_JS_STRING, **{ord(char): f"\\u{ord(char):04x}" for char in "${}"}}
_JS_REGEXP: Final = {
    **{code: text for code, text in _JS_STRING.items() if code != ord("`")},
    **{ord(char): f"\\{char}" for char in "$()*-.?[]^{|}"},
}
_JS_WORD: Final = re.compile(r"[$0-9A-Z_a-z]")
_SCRIPT_TAG = re.compile(r"<(/?)script", re.IGNORECASE | re.ASCII)


def _js_string(budget: Budget, *values: Any) -> str:
    text, content = _text_of(budget, values)
    return text.translate(_JS_STRING_AGAIN if content is Content.JS_STRING else _JS_STRING)


def _js_template(budget: Budget, *values: Any) -> str:
    return _text_of(budget, values)[0].translate(_JS_TEMPLATE)


def _js_regexp(budget: Budget, *values: Any) -> str:
    # An empty expression would begin a comment.
    return _text_of(budget, values)[0].translate(_JS_REGEXP) or "(?:)"


def _js_value(budget: Budget, *values: Any) -> str:
    value: Any = unboxed(values[0]) if len(values) == 1 else sprint(values, budget)
    if value is not None:
        kind = type_of(value)
        if kind is JS:
            return value.value
        if kind is JS_STRING:
            return f'"{value.value}"'
        if "String" in kind.methods and kind.name not in _OWN_JSON:
            value = kind.methods["String"].call(value)
    try:
        text = to_json(value, budget)
    except LimitError:
        raise
    except FunctionError as exc:
        said = _SCRIPT_TAG.sub(r"\\x3C\1script", str(exc)).replace("*/", "* /").replace("<!--", "\\x3C!--")
        return f" /* {said} */null "
    if _JS_WORD.match(text[0]) or _JS_WORD.match(text[-1]):
        # Would otherwise become one word with what stands beside it.
        return f" {text} "
    return text


_OWN_JSON: Final = frozenset(("time.Time", "*time.Time"))

# CSS

_CSS: Final = {
    0: "\\0",
    **{ord(char): f"\\{ord(char):x}" for char in "\t\n\f\r\"&'()+/:;<>{}"},
    ord("\\"): "\\\\",
}
_CSS_SPECIAL = re.compile("[\0\t\n\f\r\"&'()+/:;<>{}\\\\]")
_CSS_FOLLOWS_DIGIT = re.compile(r"[0-9A-Fa-f\t\n\f\r ]|\Z")
_CSS_UNSAFE = re.compile(r"[\0\"'()/;@\[\\\]`{}<>]|--")
_CSS_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def _css_string(budget: Budget, *values: Any) -> str:
    text = _text_of(budget, values)[0]

    def escaped(found: re.Match[str]) -> str:
        code = _CSS[ord(found[0])]
        # A space keeps the next character from being read as a part of the number.
        return f"{code} " if code != "\\\\" and _CSS_FOLLOWS_DIGIT.match(text, found.end()) else code

    return _CSS_SPECIAL.sub(escaped, text)


def _css_value(budget: Budget, *values: Any) -> str:
    text, content = _text_of(budget, values)
    if content is Content.CSS:
        return text
    text = decode_css(text)
    if _CSS_UNSAFE.search(text):
        return UNSAFE
    name = _CSS_NAME.sub("", text).lower()
    return UNSAFE if "expression" in name or "mozbinding" in name else text


# URLs

_SAFE_SCHEMES: Final = frozenset(("http", "https", "mailto"))
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_RESERVED: Final = frozenset(b"!#$&*+,/:;=?@[]")
_ESCAPED = re.compile(rb"%[0-9A-Fa-f]{2}")
_IN_QUERY: Final = [chr(byte) if byte in _UNRESERVED else f"%{byte:02x}" for byte in range(256)]
_IN_URL: Final = [chr(byte) if byte in _RESERVED else text for byte, text in enumerate(_IN_QUERY)]
_SRCSET_SPACE: Final = "\t\n\f\r "
_METADATA = re.compile(r"[\t\n\f\r 0-9A-Za-z]*\Z")


def is_safe_url(text: str) -> bool:
    """Whether a URL cannot run a script."""
    scheme, colon, _ = text.partition(":")
    return not colon or "/" in scheme or scheme.lower() in _SAFE_SCHEMES


def _url_filter(budget: Budget, *values: Any) -> str:
    text, content = _text_of(budget, values)
    return text if content is Content.URL or is_safe_url(text) else f"#{UNSAFE}"


def _url_escape(budget: Budget, *values: Any) -> str:
    text, content = _text_of(budget, values)
    return _normal_url(text) if content is Content.URL else "".join(_IN_QUERY[byte] for byte in to_bytes(text))


def _url_normalize(budget: Budget, *values: Any) -> str:
    return _normal_url(_text_of(budget, values)[0])


def _normal_url(text: str) -> str:
    """A URL with everything escaped that has to be, and nothing twice."""
    raw = to_bytes(text)
    out: list[str] = []
    done = 0
    for found in _ESCAPED.finditer(raw):
        out.extend(_IN_URL[byte] for byte in raw[done : found.start()])
        out.append(found[0].decode("ascii"))
        done = found.end()
    out.extend(_IN_URL[byte] for byte in raw[done:])
    return "".join(out)


def _srcset(budget: Budget, *values: Any) -> str:
    text, content = _text_of(budget, values)
    if content is Content.SRCSET:
        return text
    if content is Content.URL:
        return _normal_url(text).replace(",", "%2c")
    return ",".join(map(_srcset_element, text.split(",")))


def _srcset_element(piece: str) -> str:
    stripped = piece.lstrip(_SRCSET_SPACE)
    before = piece[: len(piece) - len(stripped)]
    url = re.split(f"[{_SRCSET_SPACE}]", stripped, maxsplit=1)[0]
    metadata = stripped[len(url) :]
    if is_safe_url(url) and _METADATA.match(metadata):
        return before + _normal_url(url) + metadata
    return f"#{UNSAFE}"


def _eval_args(budget: Budget, *values: Any) -> str:
    return shown(values, budget)


def _function(call: Any) -> Function:
    return Function(call, variadic=ANY, budgeted=True)


ESCAPERS: Final[Functions] = {
    "_html_template_attrescaper": _function(_attribute),
    "_html_template_commentescaper": _function(_comment),
    "_html_template_cssescaper": _function(_css_string),
    "_html_template_cssvaluefilter": _function(_css_value),
    "_html_template_htmlnamefilter": _function(_name),
    "_html_template_htmlescaper": _function(_html),
    "_html_template_jsregexpescaper": _function(_js_regexp),
    "_html_template_jsstrescaper": _function(_js_string),
    "_html_template_jstmpllitescaper": _function(_js_template),
    "_html_template_jsvalescaper": _function(_js_value),
    "_html_template_nospaceescaper": _function(_unquoted),
    "_html_template_rcdataescaper": _function(_rcdata),
    "_html_template_srcsetescaper": _function(_srcset),
    "_html_template_urlescaper": _function(_url_escape),
    "_html_template_urlfilter": _function(_url_filter),
    "_html_template_urlnormalizer": _function(_url_normalize),
    "_eval_args_": _function(_eval_args),
}
