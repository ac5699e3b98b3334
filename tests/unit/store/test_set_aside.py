from __future__ import annotations

import errno
import os
from pathlib import Path

import pyarrow as pa
import pytest
import structlog.testing

from vedette.model.errors import OverloadedError
from vedette.store.set_aside import SetAsideFolder

ROWS = pa.table({"name": pa.array(["up", "down"], pa.string()).dictionary_encode(), "number": pa.array([1, 2])})


def folder(path: Path, **options: int) -> SetAsideFolder:
    return SetAsideFolder(path / "refused", now_ms=lambda: 1_795_230_706_767, **options)


def test_rows_can_be_read_back_with_the_reason_why_they_are_there(tmp_path: Path) -> None:
    kept = folder(tmp_path)("samples", ROWS, "t-1", "there is no such column")

    (file,) = (tmp_path / "refused").iterdir()
    assert kept == f"they are kept in {file}"
    assert file.name == "1795230706767-samples-t-1.arrow"
    with pa.ipc.open_stream(file.read_bytes()) as reader:
        table = reader.read_all()
    assert table.to_pylist() == [{"name": "up", "number": 1}, {"name": "down", "number": 2}]
    metadata = table.schema.metadata or {}
    assert (metadata[b"table"], metadata[b"problem"]) == (b"samples", b"there is no such column")


def test_the_log_names_the_file_and_the_reason(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as events:
        folder(tmp_path)("samples", ROWS, "t-1", "there is no such column")

    (event,) = events
    (file,) = (tmp_path / "refused").iterdir()
    assert (event["event"], event["file"], event["error"]) == ("rows set aside", str(file), "there is no such column")


def test_what_the_folder_has_no_room_for_is_lost_and_said_to_be(tmp_path: Path) -> None:
    roomy = folder(tmp_path)
    roomy("samples", ROWS, "t-1", "")
    size = roomy.used_bytes
    small = folder(tmp_path, max_bytes=2 * size - 1)

    with structlog.testing.capture_logs() as events:
        lost = small("samples", ROWS, "t-2", "")

    assert "they are lost" in lost
    assert [event["event"] for event in events] == ["rows lost"]
    assert len(list((tmp_path / "refused").iterdir())) == 1
    assert small.used_bytes == size > 0


def test_what_cannot_be_written_now_is_not_lost_and_leaves_no_half_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OverloadedError, match="No space left on device"):
        folder(tmp_path)("samples", ROWS, "t-1", "")

    assert not list((tmp_path / "refused").iterdir())


def test_no_token_leads_out_of_the_folder(tmp_path: Path) -> None:
    folder(tmp_path)("samples", ROWS, "../../t", "")

    (file,) = (tmp_path / "refused").iterdir()
    assert file.parent == tmp_path / "refused"
