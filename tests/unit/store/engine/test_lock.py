from __future__ import annotations

import os
from pathlib import Path

import pytest

from vedette.model.errors import StorageError, UnavailableError
from vedette.store.engine.lock import DirectoryLock


def test_the_second_to_ask_hears_who_was_first(tmp_path: Path) -> None:
    first = DirectoryLock(tmp_path)

    with pytest.raises(UnavailableError, match=f"in use by process {os.getpid()}"):
        DirectoryLock(tmp_path)

    first.release()


def test_a_released_directory_can_be_used_again(tmp_path: Path) -> None:
    first = DirectoryLock(tmp_path)
    first.release()
    first.release()

    DirectoryLock(tmp_path).release()


def test_a_lock_file_left_by_a_process_that_died_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "LOCK").write_text("999999999999999\n")

    lock = DirectoryLock(tmp_path)

    assert (tmp_path / "LOCK").read_text() == f"{os.getpid()}\n"
    lock.release()


def test_a_file_in_place_of_the_directory_is_reported(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    with pytest.raises(StorageError, match="cannot be used"):
        DirectoryLock(tmp_path / "data")
