"""How the time of a query grows with the number of series and with the hours it looks back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from benchmarks.expressions import GROWTH
from benchmarks.loading import load
from benchmarks.measuring import Question, compare
from benchmarks.queries import window
from benchmarks.report import Table, milliseconds, ratio
from benchmarks.servers import NAMES, PROMETHEUS, VEDETTE, VICTORIA, running
from benchmarks.session import Session, recent_fleet

_SIZES: Final = ((1_000, (1, 6, 24)), (10_000, (1, 6, 24)), (100_000, (1, 6)))
_QUICK: Final = ((1_000, (1,)), (2_000, (1,)))
_SECONDS_EACH: Final = 15.0


def run(session: Session) -> Iterable[Table]:
    """One table for each expression."""
    tables = [
        Table(
            "growth",
            f"{expression.text}, step 60 s",
            ("series x hours", "Vedette ms", "VM ms", "Prometheus ms", "VM / Vedette", "Prom. / Vedette"),
        )
        for expression in GROWTH
    ]
    for series, spans in _QUICK if session.quick else _SIZES:
        fleet = recent_fleet(series, max(spans), uniform=True)
        with running(NAMES) as servers:
            load(servers, fleet, progress=session.say)
            start_ms, end_ms = window(fleet)
            for hours in spans:
                for table, expression in zip(tables, GROWTH, strict=True):
                    begin_ms = max(start_ms, end_ms - hours * 3_600_000)
                    question = Question(expression.text, begin_ms, end_ms, 60)
                    timings = compare(servers, question, rounds=min(5, session.rounds), seconds=_SECONDS_EACH)
                    ours, victoria, prometheus = (timings[name].median_s for name in (VEDETTE, VICTORIA, PROMETHEUS))
                    table.rows.append(
                        (
                            f"{series:,} x {hours} h",
                            *map(milliseconds, (ours, victoria, prometheus)),
                            ratio(victoria, ours),
                            ratio(prometheus, ours),
                        )
                    )
                    table.data.append(
                        {
                            "series": series,
                            "hours": hours,
                            "query": expression.text,
                            "times_s": {name: timing.times_s for name, timing in timings.items()},
                        }
                    )
    tables[-1].notes.append(
        "100,000 series x 24 h are 576 M samples and 144 M points: Prometheus answers with 50 M at most by default."
    )
    yield from tables
