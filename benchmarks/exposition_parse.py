"""How many samples a second one core parses, by kind of body and by what the parser knows of it.

    python benchmarks/exposition_parse.py [samples]

`known` is a body with the layout of the last one and new values: what a scrape costs day in, day out. `shifted`
has one series more in front than the last one. `first` is the first body of a target.
"""

from __future__ import annotations

import random
import statistics
import sys
import time

from vedette.model.kernels import compile_kernels
from vedette.wire.exposition import Format, LayoutParser

ROUNDS = 15


def node_exporter(samples: int, rng: random.Random) -> bytes:
    """Few labels, floats of all lengths, a HELP and a TYPE line for every tenth sample."""
    lines: list[str] = []
    for family in range(samples // 10):
        name = f"node_subsystem{family}_operations_seconds_total"
        lines.append(f"# HELP {name} Seconds the subsystem {family} has spent on operations.")
        lines.append(f"# TYPE {name} counter")
        lines.extend(
            f'{name}{{cpu="{cpu}",mode="system"}} {rng.choice((rng.random() * 1e6, float(rng.getrandbits(40)), 0.0))!r}'
            for cpu in range(10)
        )
    return "\n".join([*lines, ""]).encode()


def histograms(samples: int, rng: random.Random) -> bytes:
    """Long label sets, whole numbers: what an instrumented web application exposes."""
    lines = ["# TYPE http_request_duration_seconds histogram"]
    bounds = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf")
    for route in range(samples // (len(bounds) + 2)):
        labels = f'method="GET",route="/api/v1/tickets/{route}/comments",status="200"'
        count = 0
        for bound in bounds:
            count += rng.getrandbits(10)
            lines.append(f'http_request_duration_seconds_bucket{{{labels},le="{bound}"}} {count}')
        lines.append(f"http_request_duration_seconds_sum{{{labels}}} {rng.random() * count!r}")
        lines.append(f"http_request_duration_seconds_count{{{labels}}} {count}")
    return "\n".join([*lines, ""]).encode()


def openmetrics(samples: int, rng: random.Random) -> bytes:
    """The histograms with a time for each sample and an exemplar for every fourteenth."""
    lines = histograms(samples, rng).decode().splitlines()
    for number, line in enumerate(lines[1:], 1):
        lines[number] = line + f" {1.7e9 + rng.random() * 1e6:.3f}"
        if number % 14 == 1:
            lines[number] += f' # {{trace_id="{rng.getrandbits(128):032x}"}} {rng.random()!r}'
    return "\n".join([*lines, "# EOF", ""]).encode()


def seconds_of(parser: LayoutParser, body: bytes, exposition: Format) -> float:
    """What one parse takes."""
    begin = time.perf_counter()
    parser.parse(body, exposition)
    return time.perf_counter() - begin


def rates_of(bodies: list[bytes], exposition: Format, samples: int) -> list[float]:
    """Samples a second: known layout, one series more in front, first body."""
    first = [seconds_of(LayoutParser(), body, exposition) for body in bodies]
    known: list[float] = []
    shifted: list[float] = []
    parser = LayoutParser()
    for number in range(ROUNDS):
        body = bodies[number % len(bodies)]
        parser.parse(bodies[(number - 1) % len(bodies)], exposition)
        known.append(seconds_of(parser, body, exposition))
        shifted.append(seconds_of(parser, b"one_more 1\n" + body, exposition))
    return [samples / statistics.median(times) for times in (known, shifted, first)]


def main() -> None:
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    list(compile_kernels())
    print(f"{'body':<14} {'bytes/sample':>12} {'known':>12} {'shifted':>12} {'first':>12}   samples a second")
    for name, make, exposition in (
        ("node exporter", node_exporter, Format.TEXT),
        ("histograms", histograms, Format.TEXT),
        ("openmetrics", openmetrics, Format.OPENMETRICS),
    ):
        bodies = [make(samples, random.Random(seed)) for seed in range(3)]
        count = len(LayoutParser().parse(bodies[0], exposition).rows)
        rates = rates_of(bodies, exposition, count)
        print(f"{name:<14} {len(bodies[0]) / count:>12.0f} " + " ".join(f"{rate:>12,.0f}" for rate in rates))


if __name__ == "__main__":
    main()
