"""What all pages share: a frame, a style for light and dark, and no script.

Everything that is put into a page goes through `html.escape`; the policy that is sent along allows this
one style sheet, by its hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape

from starlette.responses import Response

_NAME = "Vedette"
_STYLE = """
:root{color-scheme:light dark;--ink:#18212b;--dim:#515e6c;--ground:#f4f6f8;--surface:#fff;--line:#d8dfe6;
--control:#828e9b;--key:#0b6770;--key-ink:#fff;--bad:#b3241b}
@media(prefers-color-scheme:dark){:root{--ink:#e3e8ed;--dim:#9ba9b7;--ground:#0e1318;--surface:#151b22;--line:#29333e;
--control:#6b7885;--key:#53c5cd;--key-ink:#062427;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:.95rem/1.5 system-ui,sans-serif}
main{max-width:26rem;margin:12vh auto 2rem;padding:2rem;background:var(--surface);border:1px solid var(--line);
border-radius:10px}
main.wide{max-width:44rem;margin-top:4vh}
h1{font-size:1.3rem;margin:0 0 1rem}h2{font-size:1.05rem;margin:1.75rem 0 .5rem}
a{color:var(--key)}code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}.dim{color:var(--dim)}
.bad{color:var(--bad);border-left:.25rem solid;padding-left:.75rem}
.brand{margin:0 0 1rem;font-weight:700;color:var(--key)}
label{display:block;margin:1rem 0 .25rem}
input{width:100%;padding:.55rem .7rem;font:inherit;color:inherit;background:transparent;border:1px solid var(--control);
border-radius:6px}
button{margin-top:1.25rem;padding:.55rem 1.25rem;font:inherit;color:var(--key-ink);background:var(--key);border:0;
border-radius:6px;cursor:pointer}
:focus-visible{outline:2px solid var(--key);outline-offset:2px}
ul{padding-left:1.25rem}form.inline button{margin:0}
@media(max-width:30rem){main,main.wide{margin:0;min-height:100vh;border:0;border-radius:0}}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def page(
    title: str, body: str, *, status: int = 200, headers: Mapping[str, str] | None = None, wide: bool = False
) -> Response:
    """A whole page.

    Args:
        title: plain text.
        body: HTML, with everything from outside escaped already.
        status: of the answer.
        headers: further ones.
        wide: for lists; forms are narrow.
    """
    brand = "" if title == _NAME else f'<p class="brand">{_NAME}</p>'
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)} · {_NAME}</title><style>{_STYLE}</style></head>"
        f"<body><main class={'wide' if wide else 'narrow'}>{brand}<h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return Response(
        text.encode(),
        status_code=status,
        headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", **(headers or {})},
        media_type="text/html",
    )


def notice(text: str) -> str:
    """A sentence that something went wrong; screen readers say it at once."""
    return f'<p class="bad" role="alert">{escape(text)}</p>' if text else ""


def see_other(location: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """Send the browser on to a path of this site."""
    return Response(status_code=303, headers={"Location": location, "Cache-Control": "no-store", **(headers or {})})
