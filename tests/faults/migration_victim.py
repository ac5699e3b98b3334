"""A process that kills itself before one of the statements of a migration.

Usage: migration_victim.py DIRECTORY STEP
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from vedette.store.engine import ChdbEngine, Parameters
from vedette.store.schema import migrate


class Victim(ChdbEngine):
    left = int(sys.argv[2])

    def execute(self, sql: str, parameters: Parameters | None = None) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        super().execute(sql, parameters)


engine = Victim(Path(sys.argv[1]))
migrate(engine)
engine.close()
