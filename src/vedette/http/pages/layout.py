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

_STYLE = """
:root{color-scheme:light dark;--ink:#1b2530;--dim:#5a6775;--paper:#fbfcfd;--line:#d5dce3;--key:#0b5cad;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--dim:#9aa7b4;--paper:#12181f;--line:#2d3843;--key:#7cb8f7;
--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{max-width:38rem;margin:0 auto;padding:3rem 1.25rem}
h1{font-size:1.5rem;margin:0 0 1rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
a{color:var(--key)}code{font-family:ui-monospace,monospace}.dim{color:var(--dim)}
.bad{color:var(--bad);border-left:.25rem solid;padding-left:.75rem}
label{display:block;margin:1rem 0 .25rem}
input{width:100%;padding:.6rem;font:inherit;color:inherit;background:transparent;border:1px solid var(--line);
border-radius:.375rem}
button{margin-top:1.25rem;padding:.6rem 1.25rem;font:inherit;color:var(--paper);background:var(--key);border:0;
border-radius:.375rem;cursor:pointer}
:focus-visible{outline:3px solid var(--key);outline-offset:2px}
ul{padding-left:1.25rem}form.inline button{margin:0}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def page(title: str, body: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A whole page.

    Args:
        title: plain text.
        body: HTML, with everything from outside escaped already.
        status: of the answer.
        headers: further ones.
    """
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)} · Vedette</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
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
