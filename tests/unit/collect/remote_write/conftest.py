from __future__ import annotations

import sys
from pathlib import Path

_TESTS = next(parent for parent in Path(__file__).resolve().parents if parent.name == "tests")
# Test modules are imported one by one; what they share is found here.
if str(_TESTS) not in sys.path:
    sys.path.insert(0, str(_TESTS))
