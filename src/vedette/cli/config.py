"""`vedette config schema`."""

from __future__ import annotations

import json

import typer

from vedette.cli.invocation import Invocation, command


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the commands."""
    group = typer.Typer(help="The configuration, for editors.", no_args_is_help=True)
    group.command("schema", epilog="Example: `vedette config schema > vedette.schema.json`")(schema)
    app.add_typer(group, name="config", rich_help_panel=panel)


@command(output=False)
def schema(_invocation: Invocation) -> None:
    """Print the JSON Schema of vedette.yml, for editors.

    In an editor with YAML language support, let the file's first line be
    `# yaml-language-server: $schema=vedette.schema.json`.
    """
    from vedette.config.schema import json_schema  # noqa: PLC0415 - takes longer than other commands

    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
