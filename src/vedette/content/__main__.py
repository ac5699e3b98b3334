"""`python -m vedette.content` says where the bundled rule files are, so that they can be copied."""

from __future__ import annotations

import sys

from vedette.content.bundle import bundled_rules

if __name__ == "__main__":
    sys.stdout.write(f"{bundled_rules()[0].parent}\n")
