"""Amazon SNS: a message to a topic, a device or a phone.

Source: Alertmanager's `notify/sns`; https://docs.aws.amazon.com/sns/latest/api/API_Publish.html. A message that is
too long is cut, and has the attribute `truncated`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import urlencode

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.aws_key import AwsIdentity, find_identity
from vedette.alerting.delivery.faults import DeliveryError, Verdicts
from vedette.alerting.delivery.http import Request
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.sigv4 import AwsKey, signed_headers
from vedette.alerting.delivery.text import truncate_bytes
from vedette.alerting.receivers.sns import SnsSettings

_FORM: Final = "application/x-www-form-urlencoded; charset=utf-8"
_MESSAGE_BYTES: Final = 256 * 1024
_SMS_BYTES: Final = 1600
_SUBJECT_CHARS: Final = 100
_XML_MESSAGE: Final = re.compile(r"<Message>(.{0,2000}?)</Message>", re.DOTALL)
_THROTTLED: Final = ("Throttling", "ThrottledException", "TooManyRequestsException")


class SnsSender:
    """Publishes messages."""

    def __init__(self, settings: SnsSettings, tools: Tools, *, environment: Mapping[str, str] | None = None) -> None:
        self._settings = settings
        self._tools = tools
        self._environment = os.environ if environment is None else environment

    def compose(self, message: Message) -> Send:
        """One request, signed when it is sent; one more where a role is assumed."""
        settings = self._settings
        identity = find_identity(settings.sigv4, self._environment)
        url = message.text(settings.api_url).strip() or f"https://sns.{identity.region}.amazonaws.com/"
        body = urlencode(list(publish_fields(settings, message)), errors="replace").encode()
        sts = f"https://sts.{identity.region}.amazonaws.com/"

        async def send(exchange: Exchange) -> None:
            key = await self._assume(identity, sts, exchange) if settings.sigv4.role_arn else identity.key
            await self._post(url, body, "sns", identity.region, key, exchange)

        return send

    async def _assume(self, identity: AwsIdentity, url: str, exchange: Exchange) -> AwsKey:
        """The key of a role, for a quarter of an hour."""
        sigv4 = self._settings.sigv4
        fields = {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": sigv4.role_arn,
            "RoleSessionName": "vedette",
            "DurationSeconds": "900",
            **({"ExternalId": sigv4.external_id} if sigv4.external_id else {}),
        }
        text = await self._post(url, urlencode(fields).encode(), "sts", identity.region, identity.key, exchange)
        found = [
            re.search(f"<{name}>([^<]+)</{name}>", text) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")
        ]
        values = [one[1] for one in found if one is not None]
        if len(values) != 3:
            raise DeliveryError("the answer of AWS to AssumeRole is not understood")
        return AwsKey(*values)

    async def _post(self, url: str, body: bytes, service: str, region: str, key: AwsKey, exchange: Exchange) -> str:
        now_ms = self._tools.clock.now_ms()
        headers = signed_headers(url, body, {"Content-Type": _FORM}, key, region=region, service=service, now_ms=now_ms)
        request = Request(url, body, content_type=_FORM, headers=headers)
        try:
            answer = await self._tools.http.send(request, exchange, verdicts=Verdicts(explain=_explain), answered=True)
        except DeliveryError as exc:
            if exc.permanent and any(name in exc.problem for name in _THROTTLED):
                raise DeliveryError(exc.problem, reason=exc.reason) from exc
            raise
        return answer.text


def publish_fields(settings: SnsSettings, message: Message) -> Iterator[tuple[str, str]]:
    """The fields of a request that publishes.

    Raises:
        DeliveryError: a template fails.
    """
    text: Callable[[str], str] = message.text
    yield "Action", "Publish"
    yield "Version", "2010-03-31"
    most = _MESSAGE_BYTES
    if settings.topic_arn:
        topic = text(settings.topic_arn)
        yield "TopicArn", topic
        if topic.endswith(".fifo"):
            yield "MessageDeduplicationId", message.key
            yield "MessageGroupId", message.key
    if settings.phone_number:
        most = _SMS_BYTES
        yield "PhoneNumber", text(settings.phone_number)
    if settings.target_arn:
        yield "TargetArn", text(settings.target_arn)
    full = text(settings.message)
    sent = truncate_bytes(full, most)
    yield "Message", sent
    if settings.subject:
        # SNS refuses line ends and more than 100 characters in subjects.
        yield "Subject", " ".join(text(settings.subject).split())[:_SUBJECT_CHARS]
    attributes = {text(name): text(value) for name, value in settings.attributes}
    if sent != full:
        attributes["truncated"] = "true"
    for number, (name, value) in enumerate(attributes.items(), 1):
        prefix = f"MessageAttributes.entry.{number}"
        yield f"{prefix}.Name", name
        yield f"{prefix}.Value.DataType", "String"
        yield f"{prefix}.Value.StringValue", value


def _explain(_: int, text: str) -> str:
    found = _XML_MESSAGE.search(text)
    code = re.search(r"<Code>([^<]{1,100})</Code>", text)
    return f"{code[1] if code else 'error'}: {found[1]}" if found else text
