"""`vedette targets`: what is scraped, and how it went."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.invocation import Invocation, command
from vedette.cli.terminal import note, printable, show, show_json, table
from vedette.cli.times import show_ago
from vedette.cli.units import SECONDS, show_value
from vedette.client.errors import ClientError, ExpressionError, UnexpectedAnswerError, UnreachableError

if TYPE_CHECKING:
    from vedette.client import Connection

_NEVER = "0001-01-01"


@dataclass(frozen=True, slots=True)
class _Target:
    """A target.

    Attributes:
        last_scrape_s: seconds since the epoch; None before the first.
        duration_s: of the last scrape.
        samples: of the last scrape; None where that is not known.
    """

    job: str
    instance: str
    url: str
    health: str
    last_scrape_s: float | None
    duration_s: float
    samples: int | None
    error: str


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the command."""
    example = "Example: `vedette targets --down --fail`"
    app.command("targets", rich_help_panel=panel, epilog=example)(targets)


@command(server=True)
def targets(
    invocation: Invocation,
    job: Annotated[str | None, typer.Option("--job", metavar="NAME", help="Of this job only.")] = None,
    down: Annotated[bool, typer.Option("--down", help="Only those that are not up.")] = False,  # noqa: FBT002
    fail: Annotated[bool, typer.Option("--fail", help="Exit code 1 if any is down.")] = False,  # noqa: FBT002
) -> ExitCode:
    """List the targets: state, last scrape, its duration and samples, and what went wrong."""
    with invocation.connect() as connection:
        parameters = {"state": "active"} | ({"scrapePool": job} if job is not None else {})
        data = connection.ask("/api/v1/targets", parameters).data
        samples = _samples(connection)
    found = _targets(data, samples)
    failing = [target for target in found if target.health == "down"]
    shown = [target for target in found if not down or target.health != "up"]
    # What is broken comes first.
    shown.sort(key=lambda target: (target.health != "down", target.health == "up", target.job, target.instance))
    if invocation.wants_json:
        show_json([_as_json(target) for target in shown])
    else:
        _show(shown)
        states = ("up", "down", "unknown")
        counts = {state: sum(target.health == state for target in found) for state in states}
        note(", ".join(f"{count} {state}" for state, count in counts.items() if count) or "there are no targets")
    return ExitCode.NO if fail and failing else ExitCode.OK


def _samples(connection: Connection) -> Mapping[tuple[str, str], int]:
    """Samples of the last scrape by job and instance; nothing where queries are not answered."""
    try:
        data = connection.ask("/api/v1/query", {"query": "scrape_samples_scraped"}).data
        return {
            (one["metric"].get("job", ""), one["metric"].get("instance", "")): int(float(one["value"][1]))
            for one in data["result"]
        }
    except UnreachableError:
        raise
    except (ClientError, ExpressionError, KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
        return {}


def _targets(data: Any, samples: Mapping[tuple[str, str], int]) -> list[_Target]:
    try:
        return [_target(one, samples) for one in data["activeTargets"]]
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise UnexpectedAnswerError("the server's list of targets is in an unknown form") from exc


def _target(one: Mapping[str, Any], samples: Mapping[tuple[str, str], int]) -> _Target:
    labels: Mapping[str, str] = one["labels"]
    job, instance = labels.get("job", ""), labels.get("instance", "")
    last = str(one["lastScrape"])
    return _Target(
        job=str(one.get("scrapePool", job)),
        instance=instance,
        url=str(one["scrapeUrl"]),
        health=str(one["health"]),
        last_scrape_s=None if last.startswith(_NEVER) else datetime.fromisoformat(_micros(last)).timestamp(),
        duration_s=float(one["lastScrapeDuration"]),
        samples=samples.get((job, instance)),
        error=str(one["lastError"]),
    )


def _micros(text: str) -> str:
    """Go writes nanoseconds; Python reads no more than microseconds."""
    head, point, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return f"{head}.{digits[:6]}{rest[len(digits) :]}" if point else text


def _as_json(target: _Target) -> dict[str, object]:
    return {
        "job": target.job,
        "instance": target.instance,
        "url": target.url,
        "health": target.health,
        "lastScrape": target.last_scrape_s,
        "lastScrapeDuration": target.duration_s,
        "samples": target.samples,
        "error": target.error,
    }


def _show(found: list[_Target]) -> None:
    from rich.text import Text  # noqa: PLC0415 - only for people

    if not found:
        return
    styles = {"up": "green", "down": "bold red"}
    now_s = time.time()
    made = table(
        "STATE", "JOB", "TARGET", "SCRAPED", "TOOK", "SAMPLES", "ERROR",
        right=("SCRAPED", "TOOK", "SAMPLES"), wrap=("ERROR",),
    )  # fmt: skip
    if not any(target.error for target in found):
        made.columns.pop()
    for target in found:
        scraped = target.last_scrape_s
        cells = [
            Text(target.health, style=styles.get(target.health, "yellow")),
            Text(printable(target.job)),
            Text(printable(target.url)),
            Text("never" if scraped is None else f"{show_ago(now_s - scraped)} ago", style="dim"),
            Text("" if scraped is None else show_value(SECONDS, target.duration_s)),
            Text("" if target.samples is None else f"{target.samples:,}"),
            Text(printable(target.error), style="red"),
        ]
        made.add_row(*cells[: len(made.columns)])
    show(made)
