"""What the values of HTML's attributes are.

Source: Go's `html/template/attr.go`, after the HTML standard's index of attributes.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class Content(Enum):
    """What a text is."""

    PLAIN = "plain"
    CSS = "css"
    HTML = "html"
    HTML_ATTR = "attribute"
    JS = "js"
    JS_STRING = "js string"
    URL = "url"
    SRCSET = "srcset"
    UNSAFE = "unsafe"


_PLAIN: Final = (
    "accept alt autocomplete autofocus autoplay border checked class cols colspan contenteditable contextmenu "
    "controls coords datetime default dir dirname disabled draggable dropzone for formtarget headers height "
    "hidden high hreflang id ismap kind label lang list loop low max maxlength media mediagroup min multiple name "
    "open optimum placeholder preload pubdate radiogroup readonly required reversed rows rowspan spellcheck scope "
    "scoped seamless selected shape size sizes span srclang start step tabindex target title width wrap"
)
_UNSAFE: Final = (
    "accept-charset async challenge charset content crossorigin defer enctype form formenctype formmethod "
    "formnovalidate http-equiv keytype language method novalidate pattern rel sandbox type value"
)
_URL: Final = (
    "action archive background cite classid codebase data formaction href icon longdesc manifest poster profile "
    "src usemap xmlns"
)
_CONTENT: Final[dict[str, Content]] = {
    **dict.fromkeys(_PLAIN.split(), Content.PLAIN),
    **dict.fromkeys(_UNSAFE.split(), Content.UNSAFE),
    **dict.fromkeys(_URL.split(), Content.URL),
    "srcdoc": Content.HTML,
    "srcset": Content.SRCSET,
    "style": Content.CSS,
}


def attribute_content(name: str) -> Content:
    """What the value of an attribute (in lower case) is; of unknown ones, the worst that it could be."""
    if name.startswith("data-"):
        name = name[5:]
    elif ":" in name:
        prefix, _, rest = name.partition(":")
        if prefix == "xmlns":
            return Content.URL
        name = rest
    if name in _CONTENT:
        return _CONTENT[name]
    if name.startswith("on"):
        return Content.JS
    # People put URLs into attributes of their own.
    return Content.URL if any(part in name for part in ("src", "uri", "url")) else Content.PLAIN
