"""The commands as users run them: real processes, against a small server that speaks the API and can fail."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from vedette.client import AccessError, Client, ExpressionError, UnexpectedAnswerError, UnreachableError
from vedette.http.run_files import RunInfo, hold_data_directory
from vedette.model.frames import LabelFrame, SymbolTable
from vedette.model.samples import SampleRuns
from vedette.wire.arrow_answer import CONTENT_TYPE, encode_matrix, encode_runs, encode_vector

TOKEN = "vdt_aaaaaaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
LABELS = (("__name__", "up"), ("instance", "a:9100"), ("job", "node"))
OTHER = (("__name__", "up"), ("instance", "\x1b[31mb"), ("job", "node"))
VECTOR = [
    {"metric": dict(LABELS), "value": [1_777_636_800, "1"]},
    {"metric": dict(OTHER), "value": [1_777_636_800, "0"]},
]


class Server:
    """A server that a test tells what to answer; it answers like Vedette unless told otherwise."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[Request, bytes], Response]] = {}
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.token = ""
        self.url = ""

    async def __call__(self, request: Request) -> Response:
        body = await request.body()
        self.asked.append((request.method, request.url.path, dict(request.headers), body))
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return JSONResponse({"status": "error", "errorType": "unauthorized", "error": "who are you?"}, 401)
        answer = self.answers.get(request.url.path)
        return PlainTextResponse("no such page", 404) if answer is None else answer(request, body)

    def says(self, path: str, data: Any, **more: Any) -> None:
        self.answers[path] = lambda *_: JSONResponse({"status": "success", "data": data, **more})

    def fails(self, path: str, status: int, kind: str, error: str, **headers: str) -> None:
        body = {"status": "error", "errorType": kind, "error": error}
        self.answers[path] = lambda *_: JSONResponse(body, status, headers=headers)

    def form(self, number: int = 0) -> str:
        return self.asked[number][3].decode()


@pytest.fixture
def server() -> Iterator[Server]:
    fake = Server()
    app = Starlette(routes=[Route("/{rest:path}", fake.__call__, methods=["GET", "POST"])])
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        runner = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=runner.run, args=([listener],))
        thread.start()
        try:
            # The socket queues connections from now on, whether or not the server has begun to accept them.
            listener.listen()
            fake.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield fake
        finally:
            runner.should_exit = True
            thread.join()


def vedette(*arguments: str, stdin: bytes | None = None, **variables: str) -> subprocess.CompletedProcess[bytes]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("VEDETTE_", "XDG_", "COLUMNS"))}
    env |= {"XDG_DATA_HOME": "/nonexistent", "TZ": "UTC", "PYTHONIOENCODING": "utf-8", **variables}
    command = [sys.executable, "-c", "from vedette.cli import main; main()", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, env=env, check=False, timeout=120)


def lines(output: bytes) -> list[str]:
    return output.decode().splitlines()


class TestQueries:
    def test_an_instant_query_prints_series_that_can_be_copied_and_their_values(self, server: Server) -> None:
        server.says("/api/v1/query", {"resultType": "vector", "result": VECTOR})

        done = vedette("query", "instant", "up", "--url", server.url)

        assert (done.returncode, done.stderr) == (0, b"")
        assert [line.split() for line in lines(done.stdout)] == [
            ["SERIES", "VALUE"],
            ['up{instance="a:9100",job="node"}', "1"],
            ['up{instance="\\x1b[31mb",job="node"}', "0"],
        ]

    def test_json_is_the_servers_result_on_one_line(self, server: Server) -> None:
        server.says("/api/v1/query", {"resultType": "vector", "result": VECTOR}, warnings=["careful"])

        done = vedette("query", "instant", "up", "--url", server.url, "-o", "json")

        assert json.loads(done.stdout) == {
            "resultType": "vector",
            "result": VECTOR,
            "warnings": ["careful"],
            "infos": [],
        }
        assert done.stdout.count(b"\n") == 1

    def test_warnings_do_not_get_into_the_answer(self, server: Server) -> None:
        server.says("/api/v1/query", {"resultType": "scalar", "result": [1, "42"]}, warnings=["careful"])

        done = vedette("query", "instant", "42", "--url", server.url)

        assert b"careful" not in done.stdout
        assert done.stderr == b"warning: careful\n"

    def test_a_time_is_sent_as_seconds(self, server: Server) -> None:
        server.says("/api/v1/query", {"resultType": "vector", "result": []})

        vedette("query", "instant", "up", "--url", server.url, "--time", "2026-05-01 12:00")

        assert server.form() == "query=up&time=1777636800.000"

    @pytest.mark.parametrize(("flags", "code"), [((), 0), (("--fail",), 1)])
    def test_an_empty_answer_fails_only_if_that_is_asked_for(
        self, server: Server, flags: tuple[str, ...], code: int
    ) -> None:
        server.says("/api/v1/query", {"resultType": "vector", "result": []})

        done = vedette("query", "instant", "up", "--url", server.url, *flags)

        assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"no series match\n")

    def test_a_range_is_drawn_with_a_legend_and_only_so_many_series(self, server: Server) -> None:
        start = 1_777_636_800
        found = [
            {
                "metric": {"__name__": "m", "i": f"{number:02}"},
                "values": [[start + s, str(number)] for s in range(0, 600, 15)],
            }
            for number in range(12)
        ]
        server.says("/api/v1/query_range", {"resultType": "matrix", "result": found})

        done = vedette("query", "range", "m", "--start", str(start), "--end", str(start + 600), "--url", server.url)

        text = done.stdout.decode()
        assert text.startswith("2026-05-01 12:00:00 to 12:10:00 UTC, step 5 s\n")
        assert "12:04" in text
        assert any(0x2800 < ord(char) < 0x2900 for char in text)
        assert 'i="11"' in text
        assert 'i="03"' not in text
        assert "and 4 more series" in done.stderr.decode()
        assert max(len(line) for line in lines(done.stdout)) <= 100

    @pytest.mark.parametrize("columns", [40, 80, 200])
    def test_a_plot_is_as_wide_as_the_terminal(self, server: Server, columns: int) -> None:
        found = [{"metric": {"instance": "x" * 300}, "values": [[60 * n, str(n)] for n in range(60)]}]
        server.says("/api/v1/query_range", {"resultType": "matrix", "result": found})

        done = vedette(
            "query", "range", "m", "--start", "1970-01-01", "--end", "1970-01-01 01:00", "--url", server.url,
            COLUMNS=str(columns),
        )  # fmt: skip

        widths = [len(line.rstrip()) for line in lines(done.stdout)]
        assert columns - 5 <= max(widths) <= columns

    def test_a_terminal_without_unicode_gets_letters(self, server: Server) -> None:
        found = [{"metric": {"city": "Zürich"}, "values": [[60 * n, str(n)] for n in range(60)]}]
        server.says("/api/v1/query_range", {"resultType": "matrix", "result": found})

        done = vedette(
            "query", "range", "m", "--start", "1970-01-01", "--end", "1970-01-01 01:00", "--step", "60",
            "--url", server.url,
            PYTHONIOENCODING="ascii",
        )  # fmt: skip

        assert done.returncode == 0, done.stderr
        assert b"aaa" in done.stdout
        assert b"Z\\xfcrich" in done.stdout

    def test_series_are_listed_sorted_and_counted(self, server: Server) -> None:
        server.says("/api/v1/series", [{"__name__": "up", "job": "b"}, {"__name__": "up", "job": "a"}])

        done = vedette("series", "up", "--url", server.url)

        assert lines(done.stdout) == ['up{job="a"}', 'up{job="b"}']
        assert done.stderr == b"2 series\n"
        assert server.form() == "match%5B%5D=up"


class TestTargets:
    @pytest.fixture(autouse=True)
    def _targets(self, server: Server) -> None:
        common = {"lastScrapeDuration": 0.0123, "discoveredLabels": {}, "globalUrl": ""}
        self.now = time.strftime("%Y-%m-%dT%H:%M:%S.123456789Z", time.gmtime())
        up = {"labels": {"job": "node", "instance": "a:9100"}, "scrapePool": "node", "scrapeUrl": "http://a:9100/metrics",
              "lastError": "", "lastScrape": self.now, "health": "up"}  # fmt: skip
        down = {"labels": {"job": "app", "instance": "b"}, "scrapePool": "app", "scrapeUrl": "http://b/metrics",
                "lastError": "connection refused", "lastScrape": "0001-01-01T00:00:00Z", "health": "down"}  # fmt: skip
        server.says("/api/v1/targets", {"activeTargets": [up | common, down | common], "droppedTargets": []})
        sample = {
            "metric": {"__name__": "scrape_samples_scraped", "job": "node", "instance": "a:9100"},
            "value": [1, "1234"],
        }
        server.says("/api/v1/query", {"resultType": "vector", "result": [sample]})

    def test_what_is_down_comes_first_with_its_error(self, server: Server) -> None:
        done = vedette("targets", "--url", server.url)

        rows = lines(done.stdout)
        assert rows[1].split() == ["down", "app", "http://b/metrics", "never", "connection", "refused"]
        assert rows[2].split()[:3] == ["up", "node", "http://a:9100/metrics"]
        assert "12.3 ms" in rows[2]
        assert "1,234" in rows[2]
        assert (done.returncode, done.stderr) == (0, b"1 up, 1 down\n")

    def test_with_fail_one_that_is_down_sets_the_exit_code(self, server: Server) -> None:
        done = vedette("targets", "--fail", "--url", server.url, "-o", "json")

        assert done.returncode == 1
        assert [(one["health"], one["samples"]) for one in json.loads(done.stdout)] == [("down", None), ("up", 1234)]

    def test_targets_are_shown_even_where_queries_fail(self, server: Server) -> None:
        server.fails("/api/v1/query", 503, "timeout", "too slow")

        assert vedette("targets", "--url", server.url).returncode == 0


class TestFailures:
    def test_a_parse_error_points_at_its_place(self, server: Server) -> None:
        error = 'invalid parameter "query": 1:17: parse error: unexpected <by>'
        server.fails("/api/v1/query", 400, "bad_data", error)

        done = vedette("query", "instant", "sum(rate(x[5m]) by (job", "--url", server.url)

        assert done.returncode == 1
        assert lines(done.stderr) == ["error: unexpected <by>", "  sum(rate(x[5m]) by (job", f"  {' ' * 16}^"]

    def test_the_place_counts_bytes_and_the_mark_stands_under_the_character(self, server: Server) -> None:
        server.fails("/api/v1/query", 400, "bad_data", 'invalid parameter "query": 2:8: parse error: unexpected')

        done = vedette("query", "instant", 'a +\n"日本" )', "--url", server.url)

        assert lines(done.stderr)[1:] == ["  a +", '  "日本" )', "       ^"]

    def test_without_a_server_it_says_how_to_start_one(self, tmp_path: Path) -> None:
        done = vedette("query", "instant", "up", "--data", str(tmp_path))

        assert done.returncode == 3
        assert lines(done.stderr)[0] == f"error: no server is running on the data directory {tmp_path}"
        assert "vedette up" in lines(done.stderr)[1]

    def test_a_refused_connection_is_unreachable(self) -> None:
        done = vedette("health", "--url", "http://127.0.0.1:9")

        assert done.returncode == 3
        assert b"http://127.0.0.1:9 cannot be reached: Connection refused" in done.stderr

    def test_a_missing_token_is_asked_for(self, server: Server) -> None:
        server.token = TOKEN

        done = vedette("query", "instant", "up", "--url", server.url)

        assert done.returncode == 1
        assert b"wants a token: who are you?" in done.stderr
        assert b"--token-file" in done.stderr

    @pytest.mark.parametrize("way", ["option", "file", "variable"])
    def test_a_token_is_given_in_three_ways(self, server: Server, tmp_path: Path, way: str) -> None:
        server.token = TOKEN
        server.says("/api/v1/query", {"resultType": "vector", "result": VECTOR})
        (tmp_path / "token").write_text(f"{TOKEN}\n")
        arguments = {"option": ("--token", TOKEN), "file": ("--token-file", str(tmp_path / "token")), "variable": ()}[
            way
        ]
        variables = {"VEDETTE_TOKEN": TOKEN} if way == "variable" else {}

        done = vedette("query", "instant", "up", *arguments, VEDETTE_URL=server.url, **variables)

        assert done.returncode == 0, done.stderr

    def test_a_server_that_is_busy_says_when_to_come_back(self, server: Server) -> None:
        server.fails("/api/v1/query", 503, "unavailable", "too many queries are waiting", **{"retry-after": "7"})

        done = vedette("query", "instant", "up", "--url", server.url)

        assert (done.returncode, lines(done.stderr)) == (
            1, ["error: too many queries are waiting", "Try again in 7 s."]
        )  # fmt: skip

    def test_errors_are_json_where_json_is_asked_for(self, server: Server) -> None:
        server.fails("/api/v1/query", 422, "execution", "many-to-many matching")

        done = vedette("query", "instant", "a*b", "--url", server.url, "-o", "json")

        assert json.loads(done.stderr) == {"errors": [{"kind": "execution", "problem": "many-to-many matching"}]}

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(PlainTextResponse("<html>hello"), id="another program"),
            pytest.param(JSONResponse({"hello": "world"}), id="another API"),
            pytest.param(JSONResponse({"status": "success", "data": []}), id="another form"),
            pytest.param(
                JSONResponse({"status": "success", "data": {"resultType": "vector", "result": [1]}}), id="odd"
            ),
            pytest.param(Response(b"{" * 100_000, media_type="application/json"), id="deep"),
            pytest.param(Response(b"\xff\xfe", 502, media_type="text/html"), id="a proxy's error page"),
            pytest.param(Response(status_code=302, headers={"location": "https://login"}), id="a login page"),
        ],
    )
    def test_what_does_not_speak_the_api_is_named_and_no_traceback_is_shown(
        self, server: Server, answer: Response
    ) -> None:
        server.answers["/api/v1/query"] = lambda *_: answer

        done = vedette("query", "instant", "up", "--url", server.url)

        assert done.returncode == 1
        assert done.stderr.startswith(b"error: ")
        assert b"Traceback" not in done.stderr

    def test_a_silent_server_is_given_up(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()

            done = vedette("health", "--timeout", "0.2", "--url", f"http://127.0.0.1:{listener.getsockname()[1]}")

        assert done.returncode == 3
        assert b"did not answer within 0.2 s" in done.stderr

    def test_usage_errors_have_their_own_code(self) -> None:
        assert vedette("query", "instant").returncode == 2
        assert vedette("nonsense").returncode == 2
        assert vedette("health", "--url", "nowhere").returncode == 2
        assert vedette("query", "range", "up", "--start", "now", "--end", "-1h").returncode == 2


class TestHealth:
    def test_a_ready_server_is_healthy_and_found_by_the_data_directory(self, server: Server, tmp_path: Path) -> None:
        server.answers["/-/ready"] = lambda *_: PlainTextResponse("Vedette is Ready.\n")
        with hold_data_directory(tmp_path) as directory:
            directory.announce(RunInfo(pid=1, url=server.url, started_ms=0, version="1"))

            done = vedette("health", VEDETTE_DATA_DIR=str(tmp_path), HTTP_PROXY="http://127.0.0.1:9")

        assert (done.returncode, done.stdout.decode()) == (0, f"ready  {server.url}\n")
        assert server.asked[0][2]["authorization"].startswith("Bearer vdt_local_")

    def test_a_server_that_starts_is_not_ready(self, server: Server) -> None:
        server.answers["/-/ready"] = lambda *_: PlainTextResponse("starting: loading samples", 503)

        done = vedette("health", "--url", server.url, "-o", "json")

        assert (done.returncode, json.loads(done.stdout)["detail"]) == (1, "starting: loading samples")

    def test_the_ledger_shows_what_was_dropped_and_why(self, server: Server) -> None:
        account = {"source": "node", "received": 10, "stored": 7, "dropped": {"too_old": 3}, "lastProblem": "[x] old"}
        server.answers["/api/vedette/v1/ledger"] = lambda *_: JSONResponse({"sources": [account]})

        done = vedette("ledger", "--fail", "--url", server.url)

        assert done.returncode == 1
        assert lines(done.stdout)[1].split() == ["node", "10", "7", "3", "too_old", "3:", "[x]", "old"]


class TestImport:
    PATH = "/api/vedette/v1/import/openmetrics"

    def test_a_large_file_goes_in_pieces_that_stand_for_themselves(self, server: Server, tmp_path: Path) -> None:
        server.answers[self.PATH] = lambda _, body: JSONResponse(
            {
                "samples": sum(not line.startswith(b"#") for line in body.splitlines()),
                "series": 1,
                "dropped": {"too_old": 1},
            }
        )
        rows = b"".join(b'a{x="%06d"} 1 1000\n' % number for number in range(300_000))
        (tmp_path / "f.om.gz").write_bytes(gzip.compress(b"# TYPE a gauge\n" + rows + b"# EOF\n", 1))

        done = vedette("import", "openmetrics", str(tmp_path / "f.om.gz"), "--url", server.url)

        assert lines(done.stdout)[0].startswith("300,000 samples stored in ")
        assert lines(done.stdout)[1] == "2 dropped: too_old"
        bodies = [body for _, _, _, body in server.asked]
        assert len(bodies) == 2
        assert all(body.startswith(b"# TYPE a gauge\na{") and body.endswith(b"\n# EOF\n") for body in bodies)

    def test_an_error_names_the_line_of_the_file(self, server: Server, tmp_path: Path) -> None:
        problem = {"status": 400, "detail": "line 2: expected a number", "kind": "bad-data"}
        server.answers[self.PATH] = lambda *_: JSONResponse(problem, 400, media_type="application/problem+json")
        file = tmp_path / "f.om"
        file.write_bytes(b"a 1 1\na x 2\n# EOF\n")

        done = vedette("import", "openmetrics", str(file), "--url", server.url)

        assert done.returncode == 1
        assert lines(done.stderr)[:2] == [f"{file}:2: error: expected a number", "  2 | a x 2"]

    def test_a_busy_server_is_waited_for(self, server: Server) -> None:
        answers = [
            JSONResponse({"detail": "full", "kind": "overloaded"}, 503, headers={"retry-after": "0"}),
            JSONResponse({"samples": 1, "series": 1, "dropped": {}}),
        ]
        server.answers[self.PATH] = lambda *_: answers.pop(0)

        done = vedette("import", "openmetrics", "-", "--url", server.url, "-o", "json", stdin=b"a 1 1\n# EOF\n")

        assert json.loads(done.stdout)["samples"] == 1
        assert answers == []

    def test_a_file_that_is_no_openmetrics_is_refused_before_anything_is_sent(
        self, server: Server, tmp_path: Path
    ) -> None:
        (tmp_path / "f.prom").write_bytes(b"a 1 1000000\n")

        done = vedette("import", "openmetrics", str(tmp_path / "f.prom"), "--url", server.url)

        assert (done.returncode, server.asked) == (1, [])
        assert b"does not end with `# EOF`" in done.stderr

    def test_a_broken_archive_is_no_traceback(self, server: Server, tmp_path: Path) -> None:
        (tmp_path / "f.gz").write_bytes(gzip.compress(b"a 1 1\n# EOF\n")[:-6])

        done = vedette("import", "openmetrics", str(tmp_path / "f.gz"), "--url", server.url)

        assert done.returncode == 1
        assert b"error: cannot read" in done.stderr


def exported() -> bytes:
    frame = LabelFrame.of(SymbolTable().overlay(), [LABELS])
    runs = SampleRuns(np.array([0, 2], np.int64), np.array([1_000, 2_500], np.int64), np.array([1.0, np.nan]))
    return b"".join(encode_runs([(frame, runs)]))


class TestExport:
    @pytest.fixture(autouse=True)
    def _samples(self, server: Server) -> None:
        server.answers["/api/vedette/v1/export"] = lambda *_: Response(exported(), media_type=CONTENT_TYPE)

    @pytest.mark.parametrize("name", ["up.parquet", "up.arrow"])
    def test_a_file_has_a_row_for_each_sample(self, server: Server, tmp_path: Path, name: str) -> None:
        done = vedette("export", str(tmp_path / name), "up", "--url", server.url)

        path = tmp_path / name
        table = pq.read_table(path) if name.endswith("parquet") else pyarrow.ipc.open_file(path.read_bytes()).read_all()
        assert done.stdout.decode() == f"2 samples written to {path}\n"
        assert table.column("labels").to_pylist() == [list(LABELS)] * 2
        assert [round(t.timestamp() * 1000) for t in table.column("time").to_pylist()] == [1_000, 2_500]
        assert [file.name for file in tmp_path.iterdir()] == [name]

    def test_csv_goes_to_standard_output(self, server: Server) -> None:
        done = vedette("export", "-", "up", "--format", "csv", "--url", server.url)

        assert lines(done.stdout) == [
            '"series","time","value"',
            '"up{instance=""a:9100"",job=""node""}","1970-01-01T00:00:01.000Z",1',
            '"up{instance=""a:9100"",job=""node""}","1970-01-01T00:00:02.500Z",nan',
        ]

    def test_a_stream_that_breaks_off_leaves_no_file(self, server: Server, tmp_path: Path) -> None:
        server.answers["/api/vedette/v1/export"] = lambda *_: Response(exported()[:-100], media_type=CONTENT_TYPE)

        done = vedette("export", str(tmp_path / "up.parquet"), "up", "--url", server.url)

        assert done.returncode == 1
        assert b"Traceback" not in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_a_name_that_does_not_say_the_format_is_a_usage_error(self, server: Server) -> None:
        assert vedette("export", "up.txt", "up", "--url", server.url).returncode == 2


class TestBackup:
    PATH = "/api/vedette/v1/backup"

    def test_it_ends_with_the_servers_result(self, server: Server, tmp_path: Path) -> None:
        said = b'{"stage":"samples","done":1,"total":2}\n{"result":{"directory":"x"}}\n'
        server.answers[self.PATH] = lambda *_: StreamingResponse(iter([said]), media_type="application/jsonl")

        done = vedette("backup", str(tmp_path / "b"), "--url", server.url, "-o", "json")

        assert json.loads(done.stdout) == {"directory": "x"}
        assert json.loads(server.asked[0][3]) == {"directory": str(tmp_path / "b")}

    @pytest.mark.parametrize(
        ("said", "problem"),
        [
            (b'{"stage":"samples","done":1,"total":2}\n', b"stopped before the backup was done"),
            (b'{"error":"the disk is full"}\n', b"the backup failed: the disk is full"),
            (b"hello\n", b"has a line that is no JSON"),
            (b"[1]\n", b"no JSON object"),
            (b'{"a":1}\n', b"in an unknown form"),
        ],
    )
    def test_a_backup_that_is_not_whole_fails(self, server: Server, said: bytes, problem: bytes) -> None:
        server.answers[self.PATH] = lambda *_: StreamingResponse(iter([said]), media_type="application/jsonl")

        done = vedette("backup", "/x", "--url", server.url)

        assert done.returncode == 1
        assert problem in done.stderr

    def test_nothing_is_restored_from_what_is_no_backup(self, tmp_path: Path) -> None:
        done = vedette("restore", str(tmp_path / "nothing"), "--data", str(tmp_path / "data"))

        assert done.returncode == 1
        assert b"is not a complete backup" in done.stderr
        assert not (tmp_path / "data").exists()

    def test_nothing_is_restored_over_accounts(self, tmp_path: Path) -> None:
        for name in ("engine", "state.db", "data/state.db"):
            (tmp_path / name).mkdir(parents=True)

        done = vedette("restore", str(tmp_path), "--data", str(tmp_path / "data"))

        assert done.returncode == 1
        assert b"it has accounts" in done.stderr

    def test_nothing_is_restored_under_a_running_server(self, tmp_path: Path) -> None:
        for name in ("engine", "state.db"):
            (tmp_path / name).mkdir()
        with hold_data_directory(tmp_path / "data"):
            done = vedette("restore", str(tmp_path), "--data", str(tmp_path / "data"))

        assert done.returncode == 1
        assert b"Stop it first" in done.stderr


class TestClient:
    def test_a_range_comes_as_columns(self, server: Server) -> None:
        frame = LabelFrame.of(SymbolTable().overlay(), [LABELS])
        pieces = list(encode_matrix(frame, np.array([0, 1000], np.int64), np.ones((1, 2)), np.ones((1, 2), np.bool_)))
        server.answers["/api/v1/query_range"] = lambda *_: StreamingResponse(iter(pieces), media_type=CONTENT_TYPE)

        with Client(server.url) as client:
            table = client.query_range("up", 0.0, 1.0, "1s")

        assert (len(table), table.result_type) == (2, "matrix")
        assert CONTENT_TYPE in server.asked[0][2]["accept"]
        assert server.form() == "query=up&start=0.000&end=1.000&step=1s"

    def test_any_prometheus_will_do(self, server: Server) -> None:
        server.says("/api/v1/query", {"resultType": "vector", "result": VECTOR})

        with Client(server.url) as client:
            assert client.query("up").to_arrow(flat=True).column("value").to_pylist() == [1.0, 0.0]

    def test_an_answer_that_is_cut_short_is_an_error(self, server: Server) -> None:
        frame = LabelFrame.of(SymbolTable().overlay(), [LABELS])
        whole = b"".join(encode_vector(frame, 0, np.ones(1)))
        server.answers["/api/v1/query"] = lambda *_: Response(whole[:-200], media_type=CONTENT_TYPE)

        with Client(server.url) as client, pytest.raises(UnexpectedAnswerError, match="Arrow"):
            client.query("up")

    def test_series_and_exports(self, server: Server) -> None:
        server.says("/api/v1/series", [dict(LABELS)])
        server.answers["/api/vedette/v1/export"] = lambda *_: Response(exported(), media_type=CONTENT_TYPE)

        with Client(server.url) as client:
            assert client.series("up", limit=1) == [LABELS]
            assert len(client.export("up", start=0.0)) == 2

    def test_errors_are_of_the_kinds_that_a_caller_tells_apart(self, server: Server) -> None:
        server.fails("/api/v1/query", 400, "bad_data", 'invalid parameter "query": 1:3: parse error: oh')
        with Client(server.url) as client, pytest.raises(ExpressionError) as caught:
            client.query("up{")
        assert caught.value.span is not None
        assert caught.value.span.start == 2
        server.token = TOKEN
        with Client(server.url) as client, pytest.raises(AccessError):
            client.query("up")
        with Client("http://127.0.0.1:9") as client, pytest.raises(UnreachableError):
            client.query("up")
