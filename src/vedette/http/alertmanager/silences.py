"""`/api/v2/silences` and `/api/v2/silence/ID`: silences made, changed, ended and listed.

Vedette's own fields beside Alertmanager's: `ticketURL`, `remindBefore` (a duration before the end), and `recurrence`
(`cron`, `duration`, `location`: it is in force for that long from each time of the expression).

Source: Alertmanager's `api/v2/api.go`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response

from vedette.alerting import Recurrence, Silence, SilenceError, SilenceState, UnknownSilenceError
from vedette.alerting.matchers import LabelMatcher, MatcherError, label_matcher
from vedette.alerting.service import AlertingService
from vedette.http.alertmanager.answers import answer, invalid, read_time, refused, show_time, unreadable
from vedette.http.alertmanager.parameters import read_filters, read_flag
from vedette.http.errors import ProblemError
from vedette.model.durations import Duration, parse_duration
from vedette.model.matchers import MatchOp

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_OPERATORS: Final = {
    (True, False): MatchOp.EQUAL,
    (False, False): MatchOp.NOT_EQUAL,
    (True, True): MatchOp.REGEX,
    (False, True): MatchOp.NOT_REGEX,
}


class SilencesApi:
    """Silences of one service."""

    def __init__(self, service: AlertingService) -> None:
        self._service = service

    async def list_silences(self, request: Request) -> Response:
        """`GET /api/v2/silences`."""
        states = [state for state in SilenceState if read_flag(request, state.value)]
        filters = read_filters(request)
        now_ms = self._service.now_ms()
        found = self._service.pipeline.holdings.silences.query(now_ms, states=states, filters=filters)
        return answer([_shown(one, now_ms) for one in found])

    async def post_silence(self, request: Request) -> Response:
        """`POST /api/v2/silences`: a new one, or (with an id) a change of one."""
        silence = _read_silence(await request.body())
        if silence.starts_ms >= silence.ends_ms:
            raise refused("failed to create silence: start time must be before end time")
        if silence.ends_ms < self._service.now_ms():
            raise refused("failed to create silence: end time can't be in the past")
        try:
            kept = await self._service.put_silence(silence)
        except SilenceError as exc:
            raise refused(str(exc)) from exc
        except UnknownSilenceError as exc:
            raise ProblemError(404, "silence not found", kind="not-found") from exc
        return answer({"silenceID": kept.id})

    async def get_silence(self, request: Request) -> Response:
        """`GET /api/v2/silence/ID`."""
        found = self._service.pipeline.holdings.silences.find(_read_id(request))
        if found is None:
            raise ProblemError(404, "silence not found", kind="not-found")
        return answer(_shown(found, self._service.now_ms()))

    async def delete_silence(self, request: Request) -> Response:
        """`DELETE /api/v2/silence/ID`: it ends now, and can still be looked at."""
        try:
            await self._service.expire_silence(_read_id(request))
        except UnknownSilenceError as exc:
            raise ProblemError(404, "silence not found", kind="not-found") from exc
        return Response()


def _shown(silence: Silence, now_ms: int) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": silence.id,
        "status": {"state": silence.state_at(now_ms).value},
        "updatedAt": show_time(silence.updated_ms),
        "annotations": {},
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "endsAt": show_time(silence.ends_ms),
        "matchers": [
            {
                "isEqual": one.op in (MatchOp.EQUAL, MatchOp.REGEX),
                "isRegex": one.op in (MatchOp.REGEX, MatchOp.NOT_REGEX),
                "name": one.name,
                "value": one.value,
            }
            for one in silence.matchers
        ],
        "startsAt": show_time(silence.starts_ms),
    }
    if silence.ticket_url:
        shown["ticketURL"] = silence.ticket_url
    if silence.remind_ms:
        shown["remindBefore"] = str(Duration(silence.remind_ms))
    if silence.recurrence is not None:
        again = silence.recurrence
        shown["recurrence"] = {
            "cron": again.cron,
            "duration": str(Duration(again.duration_ms)),
            "location": again.location,
        }
    return shown


def _read_id(request: Request) -> str:
    text = str(request.path_params["silence_id"])
    if not _UUID.fullmatch(text):
        raise invalid(601, f'silenceID in path must be of type uuid: "{text[:80]}"')
    return text.lower()


def _read_silence(body: bytes) -> Silence:
    try:
        found = orjson.loads(body)
    except ValueError as exc:
        raise unreadable(f'parsing silence body from "" failed, because {exc}') from exc
    if not isinstance(found, dict):
        raise unreadable('parsing silence body from "" failed, because it is no object')
    fields = cast("dict[str, Any]", found)
    missing = [
        f"{name} in body is required"
        for name in ("comment", "createdBy", "endsAt", "matchers", "startsAt")
        if fields.get(name) is None
    ]
    if missing:
        raise invalid(602, missing[0] if len(missing) == 1 else "validation failure list:\n" + "\n".join(missing))
    return Silence(
        id=_text(fields, "id"),
        matchers=_read_matchers(fields["matchers"]),
        starts_ms=_time(fields, "startsAt"),
        ends_ms=_time(fields, "endsAt"),
        created_by=_text(fields, "createdBy"),
        comment=_text(fields, "comment"),
        ticket_url=_text(fields, "ticketURL"),
        remind_ms=_duration(fields, "remindBefore"),
        recurrence=_read_recurrence(fields.get("recurrence")),
    )


def _read_matchers(found: Any) -> tuple[LabelMatcher, ...]:
    if not isinstance(found, list):
        raise invalid(601, "matchers in body must be of type array")
    matchers: list[LabelMatcher] = []
    for index, one in enumerate(cast("list[Any]", found)):
        if not isinstance(one, dict):
            raise invalid(601, f"matchers.{index} in body must be of type object")
        fields = cast("dict[str, Any]", one)
        for name in ("isRegex", "name", "value"):
            if fields.get(name) is None:
                raise invalid(602, f"matchers.{index}.{name} in body is required")
        equal, regex = fields.get("isEqual", True), fields["isRegex"]
        if not isinstance(regex, bool) or not isinstance(equal, bool | None):
            raise invalid(601, f"matchers.{index}.isRegex in body must be of type boolean")
        operator = _OPERATORS[equal is not False, regex]
        try:
            matchers.append(label_matcher(_text(fields, "name"), operator, _text(fields, "value")))
        except MatcherError as exc:
            raise refused(f"invalid silence: invalid label matcher {index}: {exc}") from exc
    if not matchers:
        raise invalid(612, "matchers in body should have at least 1 items")
    return tuple(matchers)


def _read_recurrence(found: Any) -> Recurrence | None:
    if found is None:
        return None
    if not isinstance(found, dict):
        raise invalid(601, "recurrence in body must be of type object")
    fields = cast("dict[str, Any]", found)
    return Recurrence(
        cron=_text(fields, "cron"), duration_ms=_duration(fields, "duration"), location=_text(fields, "location")
    )


def _text(fields: Mapping[str, Any], name: str) -> str:
    text = fields.get(name)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise invalid(601, f"{name} in body must be of type string")
    return text


def _time(fields: Mapping[str, Any], name: str) -> int:
    text = _text(fields, name)
    try:
        return read_time(text) or 0
    except (ValueError, OverflowError) as exc:
        raise invalid(601, f"{name} in body must be of type date-time: {text[:80]!r}") from exc


def _duration(fields: Mapping[str, Any], name: str) -> int:
    text = _text(fields, name)
    try:
        return parse_duration(text) if text else 0
    except ValueError as exc:
        raise invalid(601, f"{name} in body must be a duration such as 1h: {text[:80]!r}") from exc
