from __future__ import annotations

from pathlib import Path

from vedette.http.ui import load_files


def put(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_files_are_found_with_their_compressed_forms(tmp_path: Path) -> None:
    put(tmp_path, "index.html", b"<html>")
    put(tmp_path, "assets/app-1a2b.js", b"plain")
    put(tmp_path, "assets/app-1a2b.js.br", b"br")
    put(tmp_path, "assets/app-1a2b.js.gz", b"gz")

    files = load_files(tmp_path)

    assert set(files) == {"index.html", "assets/app-1a2b.js"}
    assert files["assets/app-1a2b.js"].forms == {"identity": b"plain", "br": b"br", "gzip": b"gz"}


def test_only_names_with_a_hash_may_be_cached_for_ever(tmp_path: Path) -> None:
    put(tmp_path, "index.html", b"<html>")
    put(tmp_path, "assets/app-1a2b.js", b"")

    files = load_files(tmp_path)

    assert {name for name, file in files.items() if file.immutable} == {"assets/app-1a2b.js"}


def test_what_a_browser_has_no_use_for_is_not_served(tmp_path: Path) -> None:
    put(tmp_path, "index.html", b"<html>")
    put(tmp_path, ".sources", b"digest")
    put(tmp_path, "assets/notes.md", b"")

    assert set(load_files(tmp_path)) == {"index.html"}


def test_a_folder_without_a_start_page_has_no_files(tmp_path: Path) -> None:
    put(tmp_path, "assets/app-1a2b.js", b"")

    assert load_files(tmp_path) == {}
    assert load_files(tmp_path / "absent") == {}


def test_the_tag_follows_the_content(tmp_path: Path) -> None:
    put(tmp_path, "index.html", b"one")
    before = load_files(tmp_path)["index.html"].etag
    put(tmp_path, "index.html", b"two")

    assert load_files(tmp_path)["index.html"].etag != before
