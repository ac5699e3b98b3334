"""One server's HTTP API: ask, and read the answer or the reason why there is none.

Answers come in Prometheus' envelope (`{"status":"success","data":...}`), errors in it too, or as RFC 9457 problems.
Both are understood from any server that speaks Prometheus' API, not Vedette alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self, cast

from vedette.client.errors import AccessError, AnswerError, ExpressionError, UnexpectedAnswerError, UnreachableError
from vedette.client.local_server import Server
from vedette.model.errors import Span

if TYPE_CHECKING:
    import httpx

Parameters = Mapping[str, str | Sequence[str]]

DEFAULT_TIMEOUT_S: Final = 130.0
"""A little more than a query may take by the server's default."""

CONNECT_TIMEOUT_S: Final = 5.0

_MAX_ERROR_BYTES: Final = 1 << 16
_LONGEST_QUOTE: Final = 300
_PARAMETER = re.compile(r'invalid parameter "(?P<name>[^"]*)": ')
_POSITION = re.compile(
    r"(?:(?P<line>\d{1,9}):(?P<column>\d{1,9})|unknown position): parse error: (?P<problem>.*)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says.

    Attributes:
        data: plain objects, as JSON has them.
    """

    data: Any
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A request.

    Attributes:
        path: of the API.
        parameters: names and values.
        form: send the parameters as a form, which has room for long expressions.
        content: a body to send, and
        kind: its media type.
        accept: media type of the answer.
        expression: what to quote if it does not parse.
        patient: wait for the answer without end: the server is known to be at work.
    """

    path: str
    parameters: Parameters = field(default_factory=dict[str, str])
    method: str = "GET"
    form: bool = False
    content: bytes | None = None
    kind: str = ""
    accept: str = "application/json"
    expression: str = ""
    patient: bool = False


class Connection:
    """Requests to one server. Close it, or use it as a context."""

    def __init__(self, server: Server, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        import httpx  # noqa: PLC0415 - it takes longer to import than many commands take

        self.server = server
        self._timeout_s = timeout_s
        headers = {"authorization": f"Bearer {server.token}"} if server.token else {}
        tls = server.tls()
        self._client = httpx.Client(
            base_url=server.url,
            headers=headers,
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S)),
            verify=True if tls is None else tls,
            # A proxy is for other machines, and must not see the local token.
            trust_env=not server.local,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the sockets back."""
        self._client.close()

    def ask(
        self, path: str, parameters: Parameters | None = None, *, expression: str = "", form: bool = False
    ) -> Answer:
        """Ask for something and wait for all of it; arguments as in `Call`.

        Raises:
            ClientError, ExpressionError: see there.
        """
        with self.stream(Call(path, parameters or {}, expression=expression, form=form)) as response:
            return self.read_answer(response)

    def read_answer(self, response: httpx.Response) -> Answer:
        """The content of a success in Prometheus' envelope."""
        try:
            said = json.loads(self._read(response))
        except (ValueError, RecursionError) as exc:
            raise self._unexpected(f"its answer to {response.request.url.path} is no JSON") from exc
        match said:
            case {"status": "success", "data": data}:
                return Answer(data, _texts(said, "warnings"), _texts(said, "infos"))
            case _:
                raise self._unexpected(f"its answer to {response.request.url.path} is none of Prometheus' API")

    def fetch(self, call: Call) -> bytes:
        """The body of an answer that has no envelope."""
        with self.stream(call) as response:
            return self._read(response)

    def lines(self, call: Call) -> Iterator[dict[str, Any]]:
        """JSON objects, one a line, as they come."""
        with self.stream(call) as response:
            for line in self._guarded(response.iter_lines()):
                if not line.strip():
                    continue
                try:
                    said = json.loads(line)
                except (ValueError, RecursionError) as exc:
                    raise self._unexpected(f"its answer to {call.path} has a line that is no JSON") from exc
                if not isinstance(said, dict):
                    raise self._unexpected(f"its answer to {call.path} has a line that is no JSON object")
                yield cast("dict[str, Any]", said)

    def pieces(self, response: httpx.Response) -> Iterator[bytes]:
        """The body of an answer as it comes."""
        return self._guarded(response.iter_bytes())

    @contextmanager
    def stream(self, call: Call) -> Generator[httpx.Response]:
        """A success whose body has not been read yet.

        Raises:
            ClientError, ExpressionError: see there.
        """
        import httpx  # noqa: PLC0415 - as above

        headers = {"accept": call.accept}
        if call.kind:
            headers["content-type"] = call.kind
        request = self._client.build_request(
            "POST" if call.form else call.method,
            call.path,
            params=None if call.form or not call.parameters else dict(call.parameters),
            data=dict(call.parameters) if call.form else None,
            content=call.content,
            headers=headers,
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S) if call.patient else self._client.timeout,
        )
        with self._translated():
            response = self._client.send(request, stream=True)
        try:
            if not response.is_success:
                raise self._failure(response, call.expression)
            yield response
        finally:
            response.close()

    def _read(self, response: httpx.Response) -> bytes:
        with self._translated():
            return response.read()

    def _guarded(self, pieces: Iterable[Any]) -> Iterator[Any]:
        with self._translated():
            yield from pieces

    @contextmanager
    def _translated(self) -> Generator[None]:
        import httpx  # noqa: PLC0415 - as above

        try:
            yield
        except httpx.ConnectError as exc:
            raise self._unreachable(exc) from exc
        except httpx.ConnectTimeout as exc:
            raise UnreachableError(
                f"{self.server.url} does not answer (no connection within {CONNECT_TIMEOUT_S:g} s)",
                remedy="Look whether the address is right and a firewall lets you through.",
            ) from exc
        except httpx.TimeoutException as exc:
            raise UnreachableError(
                f"{self.server.url} did not answer within {self._timeout_s:g} s",
                remedy="Ask for less, or wait longer with --timeout.",
            ) from exc
        except (httpx.RemoteProtocolError, httpx.DecodingError) as exc:
            raise self._unexpected(f"its answer is not valid HTTP or was cut short ({exc})") from exc
        except (httpx.TransportError, httpx.InvalidURL) as exc:
            raise UnreachableError(f"{self.server.url} cannot be reached: {exc}") from exc

    def _unreachable(self, exc: Exception) -> UnreachableError:
        reason = str(exc).removeprefix("[Errno ").partition("] ")[2] or str(exc)
        if "CERTIFICATE_VERIFY_FAILED" in str(exc):
            return UnreachableError(
                f"{self.server.url} is not trusted: {reason}",
                remedy="If its certificate is your own, name its CA in the environment variable SSL_CERT_FILE.",
            )
        remedy = "Look whether the server is running and the address is right."
        if self.server.local:
            remedy = "The server may be stopping; start it again with `vedette up`."
        elif "SSL" in str(exc):
            remedy = "Look whether the server speaks https on this port."
        return UnreachableError(f"{self.server.url} cannot be reached: {reason[:_LONGEST_QUOTE]}", remedy=remedy)

    def _unexpected(self, what: str) -> UnexpectedAnswerError:
        return UnexpectedAnswerError(
            f"{self.server.url} does not seem to be Vedette: {what}",
            remedy="Look whether the address is right, and whether a proxy in between answers itself.",
        )

    def _failure(self, response: httpx.Response, expression: str) -> Exception:
        status = response.status_code
        if response.is_redirect:
            return self._unexpected(f"it redirects to {response.headers.get('location', 'nowhere')}")
        kind, detail = self._reason(response)
        if status == 401:
            given = "does not accept this token" if self.server.token else "wants a token"
            return AccessError(
                f"{self.server.url} {given}" + (f": {detail}" if detail else ""),
                remedy="Give one with --token-file FILE, --token or VEDETTE_TOKEN; an administrator can make it on"
                " the server's web page.",
            )
        if status == 403:
            return AccessError(
                f"{self.server.url} does not allow this: {detail or 'forbidden'}",
                remedy="Use a token with the scope that this needs.",
            )
        rejected = _expression_error(detail, expression) if expression and status == 400 else None
        if rejected is not None:
            return rejected
        if not kind and not detail:
            return self._unexpected(f"it answers {status} to {response.request.url.path} without a reason")
        retry_after = response.headers.get("retry-after", "")
        retry_after_s = float(retry_after) if re.fullmatch(r"\d{1,6}", retry_after) else None
        remedy = ""
        if retry_after_s is not None:
            remedy = f"Try again in {retry_after_s:g} s."
        elif status == 404:
            remedy = "Look whether the server is Vedette, and not older than this program."
        return AnswerError(
            detail or f"{self.server.url} answers {status}",
            status=status,
            kind=kind,
            detail=detail,
            retry_after_s=retry_after_s,
            remedy=remedy,
        )

    def _reason(self, response: httpx.Response) -> tuple[str, str]:
        """The server's word and its sentence."""
        raw = b""
        for piece in self._guarded(response.iter_bytes()):
            raw += piece
            if len(raw) > _MAX_ERROR_BYTES:
                break
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if media_type in ("application/json", "application/problem+json"):
            try:
                said = json.loads(raw)
            except (ValueError, RecursionError):
                said = None
            match said:
                case {"status": "error", "errorType": str(kind), "error": str(detail)}:
                    return kind, detail
                case {"detail": str(detail)}:
                    return str(said.get("kind", "")), detail
                case str(detail) | {"message": str(detail)}:
                    return "", detail  # Alertmanager's
                case _:
                    return "", ""
        if media_type == "text/plain":
            return "", raw[:_LONGEST_QUOTE].decode("utf-8", "replace").strip()
        return "", ""


def _expression_error(detail: str, expression: str) -> ExpressionError | None:
    """A parse error with its place, if it is one: `invalid parameter "query": 1:5: parse error: ...`."""
    named = _PARAMETER.match(detail)
    found = _POSITION.fullmatch(detail, named.end() if named else 0)
    if found is None:
        problem = detail[named.end() :] if named else detail
        wrong = problem.startswith("parse error: ") or (named is not None and named["name"] in ("query", "match[]"))
        if not wrong:
            return None
        return ExpressionError(problem.removeprefix("parse error: "), expression=expression, span=None)
    if found["line"] is None:
        return ExpressionError(found["problem"], expression=expression, span=None)
    start = _offset(expression, int(found["line"]), int(found["column"]))
    return ExpressionError(found["problem"], expression=expression, span=Span(start, start + 1))


def _offset(text: str, line: int, column: int) -> int:
    """The character at a line and a column that counts bytes of UTF-8, both from 1."""
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
        if not start:
            return len(text)
    before = text[start:].encode("utf-8", "surrogatepass")[: column - 1]
    return start + len(before.decode("utf-8", "ignore"))


def _texts(said: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = said.get(key)
    return tuple(str(text) for text in cast("list[object]", found)) if isinstance(found, list) else ()
