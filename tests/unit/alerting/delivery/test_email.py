from __future__ import annotations

import asyncio
import dataclasses
import email
import email.policy
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.delivering import MINUTE, Delivering, config_of, delivering, message, notify, told
from harness.mail import MailServer, serve_mail
from harness.pki import make_authority
from vedette.alerting.delivery import DeliverySettings
from vedette.alerting.delivery.faults import DeliveryError
from vedette.alerting.delivery.mail import ComposedMail, compose_mail
from vedette.alerting.receivers.email import EmailSettings
from vedette.model.durations import Duration


def options(mail: MailServer, more: str = "") -> str:
    return f"to: 'a@example.org, B <b@example.org>', from: 'v@example.org', smarthost: '{mail.address}', {more}"


def config(mail: MailServer, more: str = "require_tls: false"):  # type: ignore[no-untyped-def] # noqa: ANN201 - brevity
    return config_of("email", options(mail, more))


async def send(it: Delivering, *, lasts_ms: int = 1000) -> str:
    (error,) = await it.deliver(notify(kind="email", lasts_ms=lasts_ms))
    return error


def composed(options: str = "", **labels: str) -> ComposedMail:
    given = config_of("email", f"to: a@example.org, from: v@example.org, smarthost: 'mail:25', {options}")
    settings = next(iter(given.receivers[0].entries())).settings
    assert isinstance(settings, EmailSettings)
    return compose_mail(settings, message(told(**labels)))


async def test_a_mail_goes_to_all_addresses_as_text_and_html() -> None:
    async with serve_mail() as mail, delivering(config(mail, "require_tls: false, text: 'ünï {{ .Status }}'")) as it:
        assert await send(it, lasts_ms=MINUTE) == ""

    (sent,) = mail.messages
    assert (sent.sender, sent.recipients) == ("v@example.org", ["a@example.org", "b@example.org"])
    assert [part.get_content_type() for part in sent.parsed.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    plain = sent.parsed.get_body(("plain",))
    assert plain is not None
    assert plain["Content-Transfer-Encoding"] == "quoted-printable"
    assert plain.get_content().strip() == "ünï firing"
    assert it.tried()[0].status == 250


async def test_a_server_that_is_to_be_secure_and_is_not_gets_no_mail() -> None:
    async with serve_mail() as mail, delivering(config(mail, "")) as it:
        error = await send(it, lasts_ms=MINUTE)

    assert error == f"require_tls: true (default), but {mail.address} does not advertise the STARTTLS extension"
    assert mail.messages == []


@pytest.mark.parametrize("implicit", [True, False], ids=["from the first byte", "by STARTTLS"])
async def test_mails_travel_encrypted(tmp_path: Path, implicit: bool) -> None:  # noqa: FBT001 - a parameter
    authority = make_authority(tmp_path)
    more = f"tls_config: {{ca_file: '{authority.ca_file}'}}, force_implicit_tls: {str(implicit).lower()}"
    async with (
        serve_mail(tls=authority.server_context(), implicit_tls=implicit) as mail,
        delivering(config(mail, more)) as it,
    ):
        assert await send(it, lasts_ms=MINUTE) == ""

    assert mail.messages[0].encrypted


async def test_a_certificate_that_is_not_known_is_refused(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    async with serve_mail(tls=authority.server_context()) as mail, delivering(config(mail, "")) as it:
        error = await send(it)

    assert "certificate" in error.lower()
    assert mail.messages == []


@pytest.mark.parametrize(
    ("excluded", "mechanism"),
    [
        pytest.param(["LOGIN"], "PLAIN", id="PLAIN"),
        pytest.param(["PLAIN"], "LOGIN", id="LOGIN"),
    ],
)
async def test_mails_are_sent_after_a_login(excluded: list[str], mechanism: str) -> None:
    more = "require_tls: false, auth_username: joe, auth_password: letmein"
    async with serve_mail(auth=True, auth_exclude_mechanism=excluded) as mail, delivering(config(mail, more)) as it:
        assert await send(it, lasts_ms=MINUTE) == ""

    assert mail.logins == [(mechanism, "joe", "letmein")]
    assert len(mail.messages) == 1


async def test_a_wrong_password_is_not_tried_again_and_not_shown() -> None:
    more = "require_tls: false, auth_username: joe, auth_password: wrongpassword"
    async with serve_mail(auth=True) as mail, delivering(config(mail, more)) as it:
        error = await send(it, lasts_ms=MINUTE)

    assert error.startswith("the mail server answered 535")
    assert "wrongpassword" not in str(it.tried())
    assert len(it.tried()) == 1


async def test_a_login_without_a_secret_for_it_says_what_is_missing() -> None:
    more = "require_tls: false, auth_username: joe, auth_secret: s3cret"
    async with serve_mail(auth=True) as mail, delivering(config(mail, more)) as it:
        error = await send(it, lasts_ms=MINUTE)

    assert "missing password for" in error


async def test_a_recipient_that_is_refused_does_not_keep_the_others_from_their_mail() -> None:
    async with serve_mail() as mail, delivering(config(mail)) as it:
        mail.refuse["rcpt:a@example.org"] = "550 no such user"

        assert await send(it) == ""

    assert mail.messages[0].recipients == ["b@example.org"]
    assert it.tried()[0].note == "refused by the mail server: a@example.org (no such user)"


async def test_recipients_that_are_all_refused_for_good_are_not_tried_again() -> None:
    async with serve_mail() as mail, delivering(config(mail)) as it:
        mail.refuse |= {"rcpt:a@example.org": "550 no", "rcpt:b@example.org": "550 no"}

        error = await send(it, lasts_ms=MINUTE)

    assert error == "no recipient is taken: a@example.org (550 no), b@example.org (550 no)"
    assert len(it.tried()) == 1


async def test_a_server_that_is_busy_is_tried_again() -> None:
    async with serve_mail() as mail, delivering(config(mail)) as it:
        mail.refuse["data"] = "451 come back later"
        error = await send(it, lasts_ms=1000)

    assert error == "the mail server answered 451: come back later (gave up after 2 attempts)"
    assert it.tried()[0].status == 451


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    given = config_of("email", "to: a@example.org, from: v@example.org, smarthost: '127.0.0.1:9'")
    async with delivering(given) as it:
        error = await send(it, lasts_ms=1000)

    assert error.startswith("the mail server at 127.0.0.1:9 failed: ")
    assert len(it.tried()) == 2


def test_what_an_alert_says_cannot_begin_another_header() -> None:
    mail = composed("headers: {subject: '{{ .CommonLabels.evil }}'}", evil="x\r\nBcc: everybody@example.org\n\nbody")

    head = mail.content.partition(b"\r\n\r\n")[0].decode()
    assert not any(line.lower().startswith("bcc") for line in head.split("\r\n"))


def test_mails_about_a_group_are_one_thread_a_day() -> None:
    mail = composed("threading: {enabled: true, thread_by_date: daily}")

    head = mail.content.decode()
    key = message(told()).key[:16]
    assert f"References: <alert-{key}-2027-01-15@alertmanager>" in head
    assert f"In-Reply-To: <alert-{key}-2027-01-15@alertmanager>" in head


def test_mails_about_a_group_are_one_thread_for_ever() -> None:
    mail = composed("threading: {enabled: true, thread_by_date: none}")

    assert f"References: <alert-{message(told()).key[:16]}-@alertmanager>" in mail.content.decode()


def test_a_subject_beyond_ascii_is_encoded() -> None:
    mail = composed("headers: {subject: 'Überlauf {{ .CommonLabels.disk }}'}", disk="/dätä")

    assert b"Subject: =?utf-8?" in mail.content


def test_names_of_people_beyond_ascii_leave_their_addresses_alone() -> None:
    mail = composed("headers: {to: 'J\u00f6 Schm\u00f6 <joe@example.org>'}")

    assert b"To: =?utf-8?" in mail.content
    assert b"<joe@example.org>" in mail.content


@pytest.mark.parametrize("to", ["nobody", "{{ .CommonLabels.nothing }}", "a@example.org, b c@example.org"])
def test_what_is_no_address_is_refused(to: str) -> None:
    given = config_of("email", f"to: '{to}', from: v@example.org, smarthost: 'mail:25'")
    settings = next(iter(given.receivers[0].entries())).settings
    assert isinstance(settings, EmailSettings)

    with pytest.raises(DeliveryError, match="parsing to addresses"):
        compose_mail(dataclasses.replace(settings), message(told()))


async def test_a_server_that_does_not_greet_is_given_up() -> None:
    released = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    given = config_of("email", f"to: a@example.org, from: v@example.org, smarthost: '{address}'")
    limits = DeliverySettings(attempt_timeout=Duration(50))
    async with server, delivering(given, limits=limits) as it:
        error = await send(it, lasts_ms=400)
        released.set()

    assert error == "no answer within 0.05 s"


@given(st.text(), st.text())
@example("=?utf-8?q?x?=", "a@b,;:<>@[")
def test_whatever_an_alert_says_becomes_a_mail(one: str, other: str) -> None:
    headers = (
        "{subject: '{{ .CommonLabels.one }}', x-more: '{{ .CommonLabels.other }}', to: '{{ .CommonLabels.other }}'}"
    )

    mail = composed(f"headers: {headers}, text: '{{{{ .CommonLabels.one }}}}'", one=one, other=other)

    parsed = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert {name.lower() for name in parsed} <= {
        "content-type",
        "mime-version",
        "subject",
        "to",
        "from",
        "x-more",
        "message-id",
        "date",
    }
    assert parsed.get_content_type() == "multipart/alternative"
    assert max(map(len, mail.content.split(b"\r\n"))) <= 998
