"""The reference of the command line, `docs/reference/cli.md`, made from the commands themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, Final

import typer

from vedette.cli.program import PROGRAM, app

_INTRODUCTION: Final = """\
# Command line

<!-- Made from the commands by `python -m vedette.cli.reference`; do not edit. -->

`vedette up` starts the server. All other commands ask a running one:

1. the one named by `--url`, or by `VEDETTE_URL`; with the token of `--token-file`, `--token` or `VEDETTE_TOKEN`;
2. otherwise the one that runs on this machine on the data directory of `--data`, or of `VEDETTE_DATA_DIR`, or the
   usual one (`$XDG_DATA_HOME/vedette`, which is `~/.local/share/vedette`; on macOS `~/Library/Application
   Support/vedette`). A private token is found there: commands of the user that runs the server need no set-up.

A certificate authority of your own is named by the environment variable `SSL_CERT_FILE`. Proxies are those of the
usual variables (`HTTPS_PROXY`, `NO_PROXY`), and are never used for a server found on this machine.
The commands that ask in PromQL, and `series` and `targets`, work with any server that speaks Prometheus' HTTP API.

## Output
`--output json` prints one JSON document for programs; its fields stay. `--output table`, the default, is for people
and may change. Colour is used on terminals only, and never when `NO_COLOR` is set. Where the output is no terminal
nothing is cut to a width, unless `COLUMNS` says one. Remarks, warnings and progress go to standard error; with
`--output json` so do errors, as `{"errors": [{"kind": ..., "problem": ..., "remedy": ...}]}`.

## Exit codes
| code | meaning |
| --- | --- |
| 0 | done; the answer is yes, or healthy |
| 1 | the answer is no or not healthy (see each command), or it could not be done |
| 2 | the command was not written correctly |
| 3 | there is no server, or no way to it |
| 130 | interrupted by Control-C |

`vedette up` ends with 0 when a signal has stopped it in order.

## Times
Options that take a time take `now`, `-1h` (one hour ago), `14:30` (the latest one), `2026-05-01`,
`'2026-05-01 14:30'`, RFC 3339, or seconds since the epoch. Without a zone a time is this machine's.

# Commands
"""

_HELP: Final = "--help"
_SERVER_PANEL: Final = "Server"
_SERVER_TEXT: Final = "Further: [the options that name the server](#command-line)"


def reference() -> str:
    """The page, as Markdown."""
    return _INTRODUCTION + "\n".join(_describe(typer.main.get_command(app), PROGRAM))


def _describe(command: Any, path: str) -> Iterator[str]:
    """A command, or all commands of a group. Typer's own classes of them are not public."""
    children: dict[str, Any] = getattr(command, "commands", {})
    if children:
        for name, child in sorted(children.items()):
            yield from _describe(child, f"{path} {name}")
        return
    shown = [parameter for parameter in command.params if _HELP not in parameter.opts]
    arguments = [one for one in shown if one.param_type_name == "argument"]
    options = [one for one in shown if one.param_type_name == "option"]
    own = [one for one in options if one.rich_help_panel != _SERVER_PANEL]
    yield f"## {path}"
    yield "```text"
    yield " ".join([path, *(_argument(one) for one in arguments), "[OPTIONS]"])
    yield "```"
    yield inspect.cleandoc(command.help or "")
    yield ""
    if arguments or own:
        yield "| argument or option | | default |"
        yield "| --- | --- | --- |"
        for one in arguments:
            yield f"| `{_argument(one)}` | {_text(one)} | |"
        for one in own:
            yield f"| {_spelling(one)} | {_text(one)} | {_default(one)} |"
        yield ""
    server = [f"`{one.opts[0]}`" for one in options if one.rich_help_panel == _SERVER_PANEL]
    if server:
        yield f"{_SERVER_TEXT}, {', '.join(server)}."
        yield ""
    yield command.epilog or ""
    yield ""


def _argument(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    return name if parameter.required else f"[{name}]"


def _spelling(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len))
    if option.is_flag:
        return names
    choices = getattr(option.default, "__class__", None)
    members = getattr(choices, "__members__", None)
    kind = "\\|".join(str(one) for one in members.values()) if members else option.metavar or ""
    return f"{names} {kind}".rstrip()


def _text(parameter: Any) -> str:
    return re.sub(r"\s+", " ", parameter.help or "").replace("|", "\\|").strip()


def _default(option: Any) -> str:
    default = option.default
    return "" if default is None or default is False or default == () else f"`{default}`"


if __name__ == "__main__":
    import sys

    sys.stdout.write(reference())
