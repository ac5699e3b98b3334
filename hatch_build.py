"""The web interface is part of the package: build it before the package is made.

A source distribution carries the built files, so that installing from it needs no Node.js.
`VEDETTE_BUILD_UI=skip` leaves it out; the server then says so on its pages.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebInterfaceHook(BuildHookInterface):
    """Runs `ui/build.py`."""

    def dependencies(self) -> list[str]:
        """Node.js as a Python package, where it is needed and the system has none."""
        build = self._build()
        needed = build is not None and not build.is_built(build.digest()) and build.find_node() is None
        return [build.NODE_PACKAGE] if build is not None and needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface's names
        """Build it, unless that has been done."""
        build = self._build()
        if build is not None:
            build.run("build")

    def _build(self) -> ModuleType | None:
        path = Path(self.root) / "ui" / "build.py"
        if os.environ.get("VEDETTE_BUILD_UI") == "skip" or not path.is_file():
            return None
        spec = importlib.util.spec_from_file_location("vedette_ui_build", path)
        assert spec is not None  # noqa: S101 - it is a Python file
        assert spec.loader is not None  # noqa: S101 - as above
        module = importlib.util.module_from_spec(spec)
        # Data classes look their module up by its name.
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module
