from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from vedette.http.auth.secrets import hash_secret, parse_token
from vedette.http.run_files import RunInfo, find_local_server, hold_data_directory
from vedette.model.errors import UnavailableError

INFO = RunInfo(pid=os.getpid(), url="http://127.0.0.1:7300", started_ms=1, version="1")


def test_a_running_server_is_found_with_its_token(tmp_path: Path) -> None:
    with hold_data_directory(tmp_path) as directory:
        directory.announce(INFO)

        found = find_local_server(tmp_path)

    token = parse_token(found.token)
    assert found.info == INFO
    assert token is not None
    assert hash_secret(token.secret) == directory.local_token_hash
    assert found.token not in repr(found)


def test_the_files_are_for_their_user_only(tmp_path: Path) -> None:
    with hold_data_directory(tmp_path / "data") as directory:
        directory.announce(INFO)

        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}

    assert modes == {"run.lock": 0o600, "run.json": 0o600, "local-token": 0o600}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_the_token_is_another_one_at_every_start(tmp_path: Path) -> None:
    tokens: set[str] = set()
    for _ in range(2):
        with hold_data_directory(tmp_path):
            tokens.add((tmp_path / "local-token").read_text())

    assert len(tokens) == 2


def test_a_server_that_has_stopped_is_not_found(tmp_path: Path) -> None:
    with hold_data_directory(tmp_path) as directory:
        directory.announce(INFO)

    with pytest.raises(UnavailableError, match="no server is running"):
        find_local_server(tmp_path)


def test_a_directory_that_was_never_used_has_no_server(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no server is running"):
        find_local_server(tmp_path / "nothing")


def test_a_server_that_does_not_listen_yet_is_said_to_be_starting(tmp_path: Path) -> None:
    with hold_data_directory(tmp_path), pytest.raises(UnavailableError, match="still starting"):
        find_local_server(tmp_path)


def test_two_servers_do_not_share_a_directory(tmp_path: Path) -> None:
    with hold_data_directory(tmp_path) as directory:
        directory.announce(INFO)
        held = hold_data_directory(tmp_path)

        with pytest.raises(UnavailableError, match=r"already \(pid \d+, http://127"):
            held.__enter__()

        assert find_local_server(tmp_path).info == INFO


def test_what_a_killed_server_left_is_not_mistaken_for_a_running_one(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from vedette.http.run_files import *\n"
        "with hold_data_directory(Path(sys.argv[1])) as directory:\n"
        "    directory.announce(RunInfo(1, 'http://127.0.0.1:1', 1, '1')); print('up', flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        assert find_local_server(tmp_path).info.pid == 1
        process.send_signal(signal.SIGKILL)

    assert (tmp_path / "run.json").exists()
    with pytest.raises(UnavailableError, match="no server is running"):
        find_local_server(tmp_path)
    with hold_data_directory(tmp_path):
        assert not (tmp_path / "run.json").exists()


def test_a_token_file_planted_as_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "local-token").symlink_to(victim)
    (tmp_path / ".local-token.new").symlink_to(victim)

    with hold_data_directory(tmp_path):
        assert not (tmp_path / "local-token").is_symlink()

    assert victim.read_text() == "precious"
