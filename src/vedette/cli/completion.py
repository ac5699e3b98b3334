"""`vedette completion`: scripts that let a shell complete commands, options and metric names.

The scripts ask the program itself (Typer answers). They are kept by users for years: what they ask must not change.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import PurePath
from typing import Annotated, Final

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import CommandError
from vedette.cli.invocation import Invocation, command


class Shell(StrEnum):
    """Shells whose completion is known."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


_BASH: Final = """\
_vedette_completion() {
    local IFS=$'\\n'
    COMPREPLY=($(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _VEDETTE_COMPLETE=complete_bash vedette))
}
complete -o default -F _vedette_completion vedette
"""

_ZSH: Final = """\
#compdef vedette
_vedette_completion() {
    eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _VEDETTE_COMPLETE=complete_zsh vedette)
}
compdef _vedette_completion vedette
"""

_FISH_CALL: Final = "_VEDETTE_COMPLETE=complete_fish _TYPER_COMPLETE_ARGS=(commandline -cp)"
_FISH: Final = f"""\
complete --command vedette --no-files \\
    --arguments "(env {_FISH_CALL} _TYPER_COMPLETE_FISH_ACTION=get-args vedette)" \\
    --condition "env {_FISH_CALL} _TYPER_COMPLETE_FISH_ACTION=is-args vedette"
"""

_SCRIPTS: Final = {Shell.BASH: _BASH, Shell.ZSH: _ZSH, Shell.FISH: _FISH}


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the command."""
    app.command("completion", rich_help_panel=panel, epilog="Example: `source <(vedette completion bash)`")(completion)


@command(output=False)
def completion(
    _invocation: Invocation,
    shell: Annotated[
        Shell | None, typer.Argument(help="bash, zsh or fish; yours, as SHELL says, unless it is given.")
    ] = None,
) -> None:
    """Print the script that completes commands, options and metric names in a shell.

    To have it always, put `source <(vedette completion bash)` into ~/.bashrc (or the same with zsh into ~/.zshrc), or
    write the output of `vedette completion fish` to ~/.config/fish/completions/vedette.fish.
    """
    typer.echo(_SCRIPTS[shell or _own_shell()], nl=False)


def _own_shell() -> Shell:
    name = PurePath(os.environ.get("SHELL", "")).name
    try:
        return Shell(name)
    except ValueError as exc:
        raise CommandError(
            "cannot tell which shell this is", remedy="Name it: bash, zsh or fish.", exit_code=ExitCode.USAGE
        ) from exc
