from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from vedette.client import ClientError, UnreachableError, default_data_dir, find_server, is_running
from vedette.http.run_files import RunInfo, hold_data_directory

INFO = RunInfo(pid=1, url="http://127.0.0.1:7300", started_ms=0, version="1", certificate="")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("VEDETTE_URL", "VEDETTE_TOKEN", "VEDETTE_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


def test_a_running_server_is_found_with_its_token_by_the_files_that_it_leaves(tmp_path: Path) -> None:
    with hold_data_directory(tmp_path) as directory:
        directory.announce(INFO)

        server = find_server(data_dir=tmp_path)

        assert (server.url, server.local) == ("http://127.0.0.1:7300", True)
        assert server.token.startswith("vdt_local_")


def test_a_token_is_not_shown_where_a_server_is_printed(tmp_path: Path) -> None:
    with hold_data_directory(tmp_path) as directory:
        directory.announce(INFO)

        assert "vdt_" not in repr(find_server(data_dir=tmp_path))


def test_files_that_a_killed_server_has_left_are_no_server(tmp_path: Path) -> None:
    (tmp_path / "run.lock").touch()
    (tmp_path / "run.json").write_text(json.dumps({"url": "http://127.0.0.1:1"}))

    with pytest.raises(UnreachableError, match="no server is running") as caught:
        find_server(data_dir=tmp_path)

    assert "vedette up" in caught.value.remedy


def test_a_server_that_has_not_announced_itself_is_still_starting(tmp_path: Path) -> None:
    with hold_data_directory(tmp_path), pytest.raises(UnreachableError, match="still starting"):
        find_server(data_dir=tmp_path)


@pytest.mark.parametrize("said", ["", "[]", "{", '{"url": 5}', '{"url": "http://x", "certificate": []}'])
def test_a_run_file_that_says_nothing_useful_means_that_it_is_starting(tmp_path: Path, said: str) -> None:
    with hold_data_directory(tmp_path):
        (tmp_path / "run.json").write_text(said)

        with pytest.raises(UnreachableError, match="still starting"):
            find_server(data_dir=tmp_path)


def test_a_directory_that_does_not_exist_has_no_server(tmp_path: Path) -> None:
    assert not is_running(tmp_path / "nothing")


def test_asking_whether_a_server_runs_does_not_look_like_one(tmp_path: Path) -> None:
    with hold_data_directory(tmp_path):
        pass

    assert [is_running(tmp_path), is_running(tmp_path)] == [False, False]


def test_a_url_comes_before_the_data_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VEDETTE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("VEDETTE_URL", "http://monitoring:7300/")
    monkeypatch.setenv("VEDETTE_TOKEN", "vdt_x_y")

    server = find_server()

    assert (server.url, server.token, server.local) == ("http://monitoring:7300", "vdt_x_y", False)


def test_a_data_directory_that_is_named_comes_before_the_url_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VEDETTE_URL", "http://monitoring:7300")

    with pytest.raises(UnreachableError, match="no server is running"):
        find_server(data_dir=tmp_path)


@pytest.mark.parametrize("url", ["monitoring:7300", "ftp://x", "http://", "7300"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ClientError, match="is not the URL of a server"):
        find_server(url=url)


def test_a_token_that_no_header_can_hold_is_refused_without_being_quoted() -> None:
    with pytest.raises(ClientError) as caught:
        find_server(url="http://x", token="secret\n")

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        pytest.param({"VEDETTE_DATA_DIR": "/srv/v"}, "/srv/v", id="the variable decides"),
        pytest.param({"XDG_DATA_HOME": "/xdg"}, "/xdg/vedette", id="below the data home"),
        pytest.param({"XDG_DATA_HOME": "odd"}, "/home/me/.local/share/vedette", id="a relative data home is ignored"),
    ],
)
@pytest.mark.skipif(os.uname().sysname != "Linux", reason="the data home of other systems")
def test_the_default_data_directory(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str) -> None:
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert default_data_dir() == Path(expected)
