"""What clients send, checked before anything looks at it: JSON documents, form fields, numbers in queries.

What is refused is named by its place and what was expected. The value is never quoted: it may be a password.
"""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from vedette.http.errors import ProblemError

T = TypeVar("T")

_MAX_FIELDS = 50
_MAX_NAMED = 5


async def read_json(request: Request, adapter: TypeAdapter[T]) -> T:
    """The request's JSON document.

    Raises:
        ProblemError: 415, it is not declared as JSON; 422, it does not have the right form.
    """
    _require_type(request, "application/json")
    try:
        return adapter.validate_json(await request.body(), strict=True)
    except ValidationError as exc:
        found = exc.errors(include_url=False, include_context=False, include_input=False)
        named = [f"{'.'.join(map(str, error['loc'])) or 'the document'}: {error['msg']}" for error in found]
        more = f"; and {len(named) - _MAX_NAMED} more" if len(named) > _MAX_NAMED else ""
        raise ProblemError(422, "; ".join(named[:_MAX_NAMED]) + more, kind="invalid-input") from exc


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form; of repeated ones the last.

    Raises:
        ProblemError: 415, it is no form; 400, it cannot be read.
    """
    _require_type(request, "application/x-www-form-urlencoded")
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as exc:
        raise ProblemError(400, "the form's fields cannot be read", kind="malformed-form") from exc
    return dict(pairs)


def query_number(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    """A whole number in the query string.

    Raises:
        ProblemError: it is none, or out of range.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    # Short enough that reading it is never slow.
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(high)) else low - 1
    if not low <= number <= high:
        raise ProblemError(400, f"`{name}` must be a whole number from {low} to {high}", kind="invalid-input")
    return number


def _require_type(request: Request, expected: str) -> None:
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found != expected:
        raise ProblemError(415, f"send this as {expected}, not as {found[:80] or 'nothing'}", kind="wrong-type")
