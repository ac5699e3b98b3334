from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def prompb() -> ModuleType:
    """Prometheus' messages in Google's parser, and slow readers of frames and chunks."""
    spec = importlib.util.spec_from_file_location("prompb", Path(__file__).parent / "prompb.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.v1, module.v2 = module.build()
    return module
