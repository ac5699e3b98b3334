"""Where the bundled rule files and runbooks are.

Names of runbooks come from URLs: only a name that is an alert's own can be one, so no path leads out of the folder.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from vedette.model.errors import VedetteError

_FOLDER: Final = Path(__file__).parent
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}", re.ASCII)


class NoRunbookError(VedetteError):
    """There is no bundled runbook of that name."""


def bundled_rules() -> list[Path]:
    """The rule files, one for each subject, by name."""
    return sorted((_FOLDER / "rules").glob("*.yml"))


def runbook_names() -> list[str]:
    """The alerts that have a runbook, by name."""
    return sorted(page.stem for page in (_FOLDER / "runbooks").glob("*.md"))


def runbook(name: str) -> str:
    """The page of an alert, as Markdown.

    Raises:
        NoRunbookError: there is none, or the text is no name.
    """
    if _NAME.fullmatch(name):
        try:
            return (_FOLDER / "runbooks" / f"{name}.md").read_text("utf-8")
        except FileNotFoundError:
            pass
    raise NoRunbookError(f"there is no bundled runbook named {name[:200]!r}")
