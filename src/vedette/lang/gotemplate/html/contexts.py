"""Where in a page of HTML one is: in text, a tag, an attribute's value, a script, a style, a URL.

Names are Go's: messages show them.

Source: Go's `html/template/context.go`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from vedette.lang.gotemplate.nodes import Node


class State(Enum):
    """What is being read."""

    TEXT = "stateText"
    TAG = "stateTag"
    ATTR_NAME = "stateAttrName"
    AFTER_NAME = "stateAfterName"
    BEFORE_VALUE = "stateBeforeValue"
    HTML_COMMENT = "stateHTMLCmt"
    RCDATA = "stateRCDATA"
    ATTR = "stateAttr"
    URL = "stateURL"
    SRCSET = "stateSrcset"
    JS = "stateJS"
    JS_DQ_STRING = "stateJSDqStr"
    JS_SQ_STRING = "stateJSSqStr"
    JS_TEMPLATE = "stateJSTmplLit"
    JS_REGEXP = "stateJSRegexp"
    JS_BLOCK_COMMENT = "stateJSBlockCmt"
    JS_LINE_COMMENT = "stateJSLineCmt"
    JS_HTML_OPEN_COMMENT = "stateJSHTMLOpenCmt"
    JS_HTML_CLOSE_COMMENT = "stateJSHTMLCloseCmt"
    CSS = "stateCSS"
    CSS_DQ_STRING = "stateCSSDqStr"
    CSS_SQ_STRING = "stateCSSSqStr"
    CSS_DQ_URL = "stateCSSDqURL"
    CSS_SQ_URL = "stateCSSSqURL"
    CSS_URL = "stateCSSURL"
    CSS_BLOCK_COMMENT = "stateCSSBlockCmt"
    CSS_LINE_COMMENT = "stateCSSLineCmt"
    ERROR = "stateError"
    META_CONTENT = "stateMetaContent"
    META_CONTENT_URL = "stateMetaContentURL"
    DEAD = "stateDead"


COMMENTS: Final = frozenset(
    (
        State.HTML_COMMENT,
        State.JS_BLOCK_COMMENT,
        State.JS_LINE_COMMENT,
        State.JS_HTML_OPEN_COMMENT,
        State.JS_HTML_CLOSE_COMMENT,
        State.CSS_BLOCK_COMMENT,
        State.CSS_LINE_COMMENT,
    )
)
IN_TAG: Final = frozenset((State.TAG, State.ATTR_NAME, State.AFTER_NAME, State.BEFORE_VALUE, State.ATTR))
SCRIPT_LITERALS: Final = frozenset((State.JS_DQ_STRING, State.JS_SQ_STRING, State.JS_TEMPLATE, State.JS_REGEXP))


class Delim(Enum):
    """What ends an attribute's value."""

    NONE = "delimNone"
    DOUBLE_QUOTE = "delimDoubleQuote"
    SINGLE_QUOTE = "delimSingleQuote"
    SPACE_OR_TAG_END = "delimSpaceOrTagEnd"


class UrlPart(Enum):
    """Where in a URL."""

    NONE = "urlPartNone"
    PRE_QUERY = "urlPartPreQuery"
    QUERY_OR_FRAGMENT = "urlPartQueryOrFrag"
    UNKNOWN = "urlPartUnknown"


class JsContext(Enum):
    """What a slash would be in JavaScript."""

    REGEXP = "jsCtxRegexp"
    DIVISION = "jsCtxDivOp"
    UNKNOWN = "jsCtxUnknown"


class Element(Enum):
    """Elements whose content is special."""

    NONE = "elementNone"
    SCRIPT = "elementScript"
    STYLE = "elementStyle"
    TEXTAREA = "elementTextarea"
    TITLE = "elementTitle"
    META = "elementMeta"


class Attribute(Enum):
    """Attributes whose values are special."""

    NONE = "attrNone"
    SCRIPT = "attrScript"
    SCRIPT_TYPE = "attrScriptType"
    STYLE = "attrStyle"
    URL = "attrURL"
    SRCSET = "attrSrcset"
    META_CONTENT = "attrMetaContent"


@dataclass(slots=True, eq=False)
class EscapeProblem:
    """Why a template cannot be made safe.

    Attributes:
        description: the reason.
        node: where; None if only the template is known.
        line: where; 0 if it is not known.
    """

    description: str
    node: Node | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """A place in a page.

    Attributes:
        braces: of each template literal that code stands in, how many braces are open.
        problem: of an error.
        at: the `break` or `continue` that leaves from here.
    """

    state: State = State.TEXT
    delim: Delim = Delim.NONE
    url_part: UrlPart = UrlPart.NONE
    js: JsContext = JsContext.REGEXP
    braces: tuple[int, ...] = ()
    attribute: Attribute = Attribute.NONE
    element: Element = Element.NONE
    problem: EscapeProblem | None = None
    at: Node | None = None

    def __str__(self) -> str:
        braces = " ".join(map(str, self.braces))
        parts = (self.state, self.delim, self.url_part, self.js)
        shown = " ".join(part.value for part in parts)
        problem = "<nil>" if self.problem is None else self.problem.description
        return f"{{{shown} [{braces}] {self.attribute.value} {self.element.value} {problem}}}"

    def same(self, other: Context) -> bool:
        """Whether two places are alike."""
        return replace(self, at=None) == replace(other, at=None)

    def mangle(self, name: str) -> str:
        """A name for what a template becomes in this place."""
        if self.state is State.TEXT:
            return name
        parts = [self.state.value]
        if self.delim is not Delim.NONE:
            parts.append(self.delim.value)
        if self.url_part is not UrlPart.NONE:
            parts.append(self.url_part.value)
        if self.js is not JsContext.REGEXP:
            parts.append(self.js.value)
        if self.braces:
            parts.append(f"jsBraceDepth([{' '.join(map(str, self.braces))}])")
        if self.attribute is not Attribute.NONE:
            parts.append(self.attribute.value)
        if self.element is not Element.NONE:
            parts.append(self.element.value)
        return f"{name}$htmltemplate_{'_'.join(parts)}"


def failed(description: str, node: Node | None = None, line: int = 0) -> Context:
    """The place behind something that cannot be made safe."""
    return Context(State.ERROR, problem=EscapeProblem(description, node, line))
