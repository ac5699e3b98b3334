from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vedette.store.engine import ChdbEngine
from vedette.store.schema import SCHEMA_VERSION, SingleServer, migrate
from vedette.store.schema.migrations import MIGRATIONS, stored_version

VICTIM = Path(__file__).parent / "migration_victim.py"
# The record's table, the statements themselves, and the record of each migration.
STEPS = 1 + sum(len(migration.statements(SingleServer())) + 1 for migration in MIGRATIONS)


@pytest.mark.slow
def test_a_migration_killed_between_any_two_statements_is_finished_by_the_next_start(tmp_path: Path) -> None:
    for step in range(STEPS):
        directory = tmp_path / str(step)
        killed = subprocess.run([sys.executable, str(VICTIM), str(directory), str(step)], check=False, timeout=60)
        assert killed.returncode == -9, step

        engine = ChdbEngine(directory)
        assert migrate(engine) == 1, step
        assert stored_version(engine) == SCHEMA_VERSION
        assert engine.query("SELECT metric, value FROM metrics").num_rows == 0
        engine.close()
