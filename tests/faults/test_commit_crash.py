"""Killed at any moment, the store holds every acknowledged batch once and no part of any other."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from vedette.store.engine import ChdbEngine

WRITER = Path(__file__).parent / "commit_writer.py"
ROWS = 50
KILLS = 18
MOST_KILLS = 100
SEED = 20_261_121


@dataclass
class Heard:
    """What a writer said before it died."""

    begun: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)


def write_until_killed(directory: Path, mode: str, first: int, after_s: float) -> Heard:
    heard = Heard()
    with subprocess.Popen(
        [sys.executable, str(WRITER), str(directory), mode, str(first)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"open 0\n"
        # The moment of death is what this test is about: nothing is waited for.
        timer = threading.Timer(after_s, writer.kill)
        timer.start()
        for line in writer.stdout:
            word, _, number = line.decode().partition(" ")
            (heard.begun if word == "begun" else heard.done).add(int(number))
        timer.join()
    assert writer.returncode == -9
    return heard


def stored(directory: Path) -> dict[int, int]:
    engine = ChdbEngine(directory)
    rows = engine.query("SELECT series_id, count() AS held FROM samples GROUP BY series_id").to_pylist()
    engine.close()
    return {row["series_id"]: row["held"] for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["insert", "group"])
def test_every_acknowledged_batch_survives_kills_exactly_once(tmp_path: Path, mode: str) -> None:
    generator = random.Random(SEED)
    acknowledged: set[int] = set()
    begun: set[int] = set()
    for kill in itertools.count(1):
        # On a machine that is busy with other things a writer may not get far.
        if kill > KILLS and len(acknowledged) > KILLS:
            break
        assert kill <= MOST_KILLS
        # A sender repeats what was not acknowledged: in `insert` mode under the token it had.
        first = max(acknowledged, default=-1) + 1 if mode == "insert" else max(begun, default=-1) + 1
        heard = write_until_killed(tmp_path, mode, first, generator.uniform(0.0, max(0.4, 0.4 * kill / KILLS)))
        acknowledged |= heard.done
        begun |= heard.begun

        found = stored(tmp_path)

        assert acknowledged <= found.keys() <= begun
        assert set(found.values()) <= {ROWS}
