"""How a piece of text leads from one place in a page to another.

Each function reads from a position and says where it is then, and how far it has read.

Source: Go's `html/template/transition.go` and `js.go`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from vedette.lang.gotemplate.html.attributes import Content, attribute_content
from vedette.lang.gotemplate.html.contexts import (
    COMMENTS,
    SCRIPT_LITERALS,
    Attribute,
    Context,
    Delim,
    Element,
    JsContext,
    State,
    UrlPart,
    failed,
)
from vedette.lang.gotemplate.html.css import decode_css
from vedette.lang.gotemplate.literals import quote

_WHITE = re.compile(r"[ \t\n\f\r]*")
_TAG_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|[:-][A-Za-z0-9])*")
_ATTR_NAME_END = re.compile(r"[ \t\n\f\r=>'\"<]")
_ELEMENTS: Final = {
    "script": Element.SCRIPT,
    "style": Element.STYLE,
    "textarea": Element.TEXTAREA,
    "title": Element.TITLE,
    "meta": Element.META,
}
_CONTENT_STATES: Final = {
    Element.NONE: State.TEXT,
    Element.SCRIPT: State.JS,
    Element.STYLE: State.CSS,
    Element.TEXTAREA: State.RCDATA,
    Element.TITLE: State.RCDATA,
    Element.META: State.TEXT,
}
_TAG_ENDS: Final = {
    element: re.compile(rf"</{'' if element is Element.META else name}[> \t\n\f/]", re.IGNORECASE | re.ASCII)
    for name, element in _ELEMENTS.items()
}
VALUE_STATES: Final = {
    Attribute.NONE: State.ATTR,
    Attribute.SCRIPT: State.JS,
    Attribute.SCRIPT_TYPE: State.ATTR,
    Attribute.STYLE: State.CSS,
    Attribute.URL: State.URL,
    Attribute.SRCSET: State.SRCSET,
    Attribute.META_CONTENT: State.META_CONTENT,
}
_CONTENT_ATTRIBUTES: Final = {
    Content.URL: Attribute.URL,
    Content.CSS: Attribute.STYLE,
    Content.JS: Attribute.SCRIPT,
    Content.SRCSET: Attribute.SRCSET,
}
_JS_WHITE: Final = (
    "\f\n\r\t\v \xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_JS_WORD = re.compile(r"[$0-9A-Z_a-z]*\Z")
_JS_BEFORE_REGEXP: Final = frozenset(
    (
        "break",
        "case",
        "continue",
        "delete",
        "do",
        "else",
        "finally",
        "in",
        "instanceof",
        "return",
        "throw",
        "try",
        "typeof",
        "void",
        "yield",
    )
)
_JS_SPECIAL = re.compile("[\"`'/{}<\\-#]")
_JS_IDENTIFIER = re.compile(r"[$0-9A-Z_a-z]*")
_JS_TEMPLATE_SPECIAL = re.compile(r"[`\\$]")
_LITERAL_SPECIAL: Final = {
    State.JS_DQ_STRING: re.compile(r'[\\"]'),
    State.JS_SQ_STRING: re.compile(r"[\\']"),
    State.JS_REGEXP: re.compile(r"[\\/\[\]]"),
}
_LINE_ENDS: Final = {
    State.JS_LINE_COMMENT: (re.compile("[\n\r\u2028\u2029]"), State.JS),
    State.JS_HTML_OPEN_COMMENT: (re.compile("[\n\r\u2028\u2029]"), State.JS),
    State.JS_HTML_CLOSE_COMMENT: (re.compile("[\n\r\u2028\u2029]"), State.JS),
    State.CSS_LINE_COMMENT: (re.compile("[\n\f\r]"), State.CSS),
}
_CSS_SPECIAL = re.compile(r"[(\"'/]")
_CSS_NAME_CHAR = re.compile(r"[-A-Za-z0-9_\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CSS_ENDS: Final = {
    State.CSS_DQ_STRING: re.compile(r'[\\"]'),
    State.CSS_DQ_URL: re.compile(r'[\\"]'),
    State.CSS_SQ_STRING: re.compile(r"[\\']"),
    State.CSS_SQ_URL: re.compile(r"[\\']"),
    State.CSS_URL: re.compile(r"[\\\t\n\f\r )]"),
}
_META_URL = re.compile(r"url[ \t\n\f\r]*=", re.IGNORECASE | re.ASCII)

Transition = Callable[[Context, str, int, int], tuple[Context, int]]


def step(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    """The next token of `text[start:end]` in some place."""
    return TRANSITIONS[context.state](context, text, start, end)


def tag_end(context: Context, text: str, start: int, end: int) -> int:
    """Where the end tag of an element with special content begins; -1 if there is none that counts."""
    if context.element is Element.NONE:
        return -1
    if context.element is Element.SCRIPT and (context.state in SCRIPT_LITERALS or context.state in COMMENTS):
        return -1
    found = _TAG_ENDS[context.element].search(text, start, end)
    return found.start() if found is not None else -1


def _white(text: str, start: int, end: int) -> int:
    found = _WHITE.match(text, start, end)
    return found.end() if found is not None else start


def _in_text(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    at = start
    while True:
        at = text.find("<", at, end)
        if at < 0 or at + 1 == end:
            return context, end
        if text.startswith("<!--", at, end):
            return Context(State.HTML_COMMENT), at + 4
        at += 1
        closes = text[at] == "/"
        if closes:
            at += 1
            if at == end:
                return context, end
        name = _TAG_NAME.match(text, at, end)
        if name is not None:
            element = Element.NONE if closes else _ELEMENTS.get(name[0].lower(), Element.NONE)
            return Context(State.TAG, element=element), name.end()


def _in_tag(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    at = _white(text, start, end)
    if at == end:
        return context, end
    if text[at] == ">":
        if context.element is Element.META:
            return Context(), at + 1
        return Context(_CONTENT_STATES[context.element], element=context.element), at + 1
    stop = _attr_name_end(text, at, end)
    if stop < 0:
        return _bad_attr_name(text, start, at, end), end
    if stop == at:
        return failed(f"expected space, attr name, or end of tag, but got {quote(text[at:end])}"), end
    name = text[at:stop].lower()
    if context.element is Element.SCRIPT and name == "type":
        attribute = Attribute.SCRIPT_TYPE
    elif context.element is Element.META and name == "content":
        attribute = Attribute.META_CONTENT
    else:
        attribute = _CONTENT_ATTRIBUTES.get(attribute_content(name), Attribute.NONE)
    state = State.ATTR_NAME if stop == end else State.AFTER_NAME
    return Context(state, attribute=attribute, element=context.element), stop


def _attr_name_end(text: str, start: int, end: int) -> int:
    """Where an attribute's name ends; -1 if something stands in it that belongs into no name."""
    found = _ATTR_NAME_END.search(text, start, end)
    if found is None:
        return end
    return -1 if found[0] in "'\"<" else found.start()


def _bad_attr_name(text: str, start: int, name: int, end: int) -> Context:
    found = _ATTR_NAME_END.search(text, name, end)
    bad = found[0] if found is not None else ""
    return failed(f"{quote(bad)} in attribute name: {quote(text[start:end][:32])}")


def _in_attr_name(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    stop = _attr_name_end(text, start, end)
    if stop < 0:
        return _bad_attr_name(text, start, start, end), end
    return (replace(context, state=State.AFTER_NAME) if stop != end else context), stop


def _after_name(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    at = _white(text, start, end)
    if at == end:
        return context, end
    if text[at] != "=":
        # The tag ends, or the attribute has no value.
        return replace(context, state=State.TAG), at
    return replace(context, state=State.BEFORE_VALUE), at + 1


def _before_value(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    at = _white(text, start, end)
    if at == end:
        return context, end
    delim = Delim.SPACE_OR_TAG_END
    if text[at] == "'":
        delim, at = Delim.SINGLE_QUOTE, at + 1
    elif text[at] == '"':
        delim, at = Delim.DOUBLE_QUOTE, at + 1
    return replace(context, state=VALUE_STATES[context.attribute], delim=delim), at


def _in_html_comment(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    at = text.find("-->", start, end)
    return (Context(), at + 3) if at >= 0 else (context, end)


def _in_rcdata(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    at = tag_end(context, text, start, end)
    return (Context(), at) if at >= 0 else (context, end)


def _stay(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    del text, start
    return context, end


def _in_url(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    return _url_part(context, text[start:end]), end


def _url_part(context: Context, piece: str) -> Context:
    if "#" in piece or "?" in piece:
        return replace(context, url_part=UrlPart.QUERY_OR_FRAGMENT)
    if context.url_part is UrlPart.NONE and piece.strip(" \t\n\f\r"):
        return replace(context, url_part=UrlPart.PRE_QUERY)
    return context


# JavaScript


def next_js(piece: str, before: JsContext) -> JsContext:
    """What a slash behind a piece of JavaScript would be."""
    piece = piece.rstrip(_JS_WHITE)
    if not piece:
        return before
    last = piece[-1]
    if last in "+-":
        count = len(piece) - len(piece.rstrip(last))
        return JsContext.REGEXP if count & 1 else JsContext.DIVISION
    if last == ".":
        return JsContext.DIVISION if "0" <= piece[-2:-1] <= "9" and len(piece) > 1 else JsContext.REGEXP
    if last in ",<>=*%&|^?!~([:;{}":
        return JsContext.REGEXP
    found = _JS_WORD.search(piece)
    at = found.start() if found is not None else len(piece)
    if piece[at:] in _JS_BEFORE_REGEXP and not piece[:at].rstrip(_JS_WHITE).endswith("."):
        return JsContext.REGEXP
    return JsContext.DIVISION


def _in_js(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:  # noqa: PLR0911 - a table
    found = _JS_SPECIAL.search(text, start, end)
    if found is None:
        return replace(context, js=next_js(text[start:end], context.js)), end
    at = found.start()
    context = replace(context, js=next_js(text[start:at], context.js))
    char = found[0]
    if char in _JS_QUOTES:
        return replace(context, state=_JS_QUOTES[char], js=JsContext.REGEXP), at + 1
    match char:
        case "/":
            return _js_slash(context, text, at, end)
        case "<" if text.startswith("<!--", at, end):
            return replace(context, state=State.JS_HTML_OPEN_COMMENT), at + 4
        case "-" if text.startswith("-->", at, end):
            return replace(context, state=State.JS_HTML_CLOSE_COMMENT), at + 3
        case "#" if text.startswith("#!", at, end):
            return replace(context, state=State.JS_LINE_COMMENT), at + 2
        case "#":
            word = _JS_IDENTIFIER.match(text, at + 1, end)
            return replace(context, js=JsContext.DIVISION), word.end() if word is not None else at + 1
        case "{" | "}":
            return _js_brace(context, char), at + 1
        case _:
            return context, at + 1


_JS_QUOTES: Final = {'"': State.JS_DQ_STRING, "'": State.JS_SQ_STRING, "`": State.JS_TEMPLATE}


def _js_slash(context: Context, text: str, at: int, end: int) -> tuple[Context, int]:
    if text.startswith("//", at, end):
        return replace(context, state=State.JS_LINE_COMMENT), at + 2
    if text.startswith("/*", at, end):
        return replace(context, state=State.JS_BLOCK_COMMENT), at + 2
    if context.js is JsContext.REGEXP:
        return replace(context, state=State.JS_REGEXP), at + 1
    if context.js is JsContext.DIVISION:
        return replace(context, js=JsContext.REGEXP), at + 1
    return failed(f"'/' could start a division or regexp: {quote(text[at:end][:32])}"), end


def _js_brace(context: Context, char: str) -> Context:
    js = next_js(char, context.js)
    if not context.braces:
        return replace(context, js=js)
    *outer, depth = context.braces
    depth += 1 if char == "{" else -1
    if depth >= 0:
        return replace(context, js=js, braces=(*outer, depth))
    return replace(context, state=State.JS_TEMPLATE, braces=tuple(outer))


def _in_js_template(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    at = start
    while (found := _JS_TEMPLATE_SPECIAL.search(text, at, end)) is not None:
        at = found.start()
        match found[0]:
            case "\\":
                at += 1
                if at == end:
                    return _unfinished("JS string", text, start, end)
            case "$" if text.startswith("${", at, end):
                braces = (*context.braces, 0)
                return replace(context, state=State.JS, js=JsContext.REGEXP, braces=braces), at + 2
            case "`":
                return replace(context, state=State.JS), at + 1
            case _:
                pass
        at += 1
    return context, end


def _in_js_literal(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    special = _LITERAL_SPECIAL[context.state]
    at, in_set = start, False
    while (found := special.search(text, at, end)) is not None:
        at = found.start()
        match found[0]:
            case "\\":
                at += 1
                if at == end:
                    return _unfinished("JS string", text, start, end)
            case "[":
                in_set = True
            case "]":
                in_set = False
            case "/" if at > start and text[at - 1 : at + 7].lower() == "</script" and at + 7 <= end:
                # Escaped later; the slash does not end the expression.
                at += 1
            case _ if not in_set:
                return replace(context, state=State.JS, js=JsContext.DIVISION), at + 1
            case _:
                pass
        at += 1
    if in_set:
        return failed(f"unfinished JS regexp charset: {quote(text[start:end])}"), end
    return context, end


def _unfinished(what: str, text: str, start: int, end: int) -> tuple[Context, int]:
    return failed(f"unfinished escape sequence in {what}: {quote(text[start:end])}"), end


def _in_block_comment(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    at = text.find("*/", start, end)
    if at < 0:
        return context, end
    return replace(context, state=State.JS if context.state is State.JS_BLOCK_COMMENT else State.CSS), at + 2


def _in_line_comment(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    ends, state = _LINE_ENDS[context.state]
    found = ends.search(text, start, end)
    return (replace(context, state=state), found.start()) if found is not None else (context, end)


# CSS


def _in_css(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    at = start
    while (found := _CSS_SPECIAL.search(text, at, end)) is not None:
        at = found.start()
        match found[0]:
            case "(":
                if _is_url_keyword(text, start, at):
                    stop = _white(text, at + 1, end)
                    mark = text[stop : stop + 1] if stop < end else ""
                    state = {'"': State.CSS_DQ_URL, "'": State.CSS_SQ_URL}.get(mark, State.CSS_URL)
                    return replace(context, state=state), stop + (state is not State.CSS_URL)
            case "/":
                following = text[at + 1 : min(at + 2, end)]
                if following in _CSS_COMMENTS:
                    return replace(context, state=_CSS_COMMENTS[following]), at + 2
            case mark:
                return replace(context, state=State.CSS_DQ_STRING if mark == '"' else State.CSS_SQ_STRING), at + 1
        at += 1
    return context, end


def _is_url_keyword(text: str, start: int, end: int) -> bool:
    """Whether the word `url` stands before a position."""
    while end > start and text[end - 1] in "\t\n\f\r ":
        end -= 1
    before = end - 3
    if before < start or text[before:end].lower() != "url":
        return False
    return before == start or _CSS_NAME_CHAR.match(text[before - 1]) is None


_CSS_COMMENTS: Final = {"/": State.CSS_LINE_COMMENT, "*": State.CSS_BLOCK_COMMENT}


def _in_css_string(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    ends = _CSS_ENDS[context.state]
    at = start
    while (found := ends.search(text, at, end)) is not None:
        stop = found.start()
        if found[0] != "\\":
            return replace(context, state=State.CSS), stop + 1
        stop += 1
        if stop == end:
            return _unfinished("CSS string", text, start, end)
        context = _url_part(context, decode_css(text[at : stop + 1]))
        at = stop + 1
    return _url_part(context, decode_css(text[at:end])), end


def _in_meta_content(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    found = _META_URL.search(text, start, end)
    return (replace(context, state=State.META_CONTENT_URL), found.end()) if found is not None else (context, end)


def _in_meta_url(context: Context, text: str, start: int, end: int) -> tuple[Context, int]:
    at = text.find(";", start, end)
    return (replace(context, state=State.META_CONTENT), at + 1) if at >= 0 else (context, end)


TRANSITIONS: Final[dict[State, Transition]] = {
    State.TEXT: _in_text,
    State.TAG: _in_tag,
    State.ATTR_NAME: _in_attr_name,
    State.AFTER_NAME: _after_name,
    State.BEFORE_VALUE: _before_value,
    State.HTML_COMMENT: _in_html_comment,
    State.RCDATA: _in_rcdata,
    State.ATTR: _stay,
    State.URL: _in_url,
    State.SRCSET: _in_url,
    State.META_CONTENT: _in_meta_content,
    State.META_CONTENT_URL: _in_meta_url,
    State.JS: _in_js,
    State.JS_DQ_STRING: _in_js_literal,
    State.JS_SQ_STRING: _in_js_literal,
    State.JS_REGEXP: _in_js_literal,
    State.JS_TEMPLATE: _in_js_template,
    State.JS_BLOCK_COMMENT: _in_block_comment,
    State.JS_LINE_COMMENT: _in_line_comment,
    State.JS_HTML_OPEN_COMMENT: _in_line_comment,
    State.JS_HTML_CLOSE_COMMENT: _in_line_comment,
    State.CSS: _in_css,
    State.CSS_DQ_STRING: _in_css_string,
    State.CSS_SQ_STRING: _in_css_string,
    State.CSS_DQ_URL: _in_css_string,
    State.CSS_SQ_URL: _in_css_string,
    State.CSS_URL: _in_css_string,
    State.CSS_BLOCK_COMMENT: _in_block_comment,
    State.CSS_LINE_COMMENT: _in_line_comment,
    State.ERROR: _stay,
}
