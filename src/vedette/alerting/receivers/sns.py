"""Amazon SNS."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from vedette.alerting.receivers.kind import HttpIntegration
from vedette.alerting.settings.fields import Template, Templates
from vedette.config.fields import Flag
from vedette.config.remote import SigV4
from vedette.config.settings import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class SnsSettings(HttpIntegration):
    """A topic, a device or a phone number at Amazon SNS."""

    kind: ClassVar[str] = "sns"

    api_url: Template = ""
    """API; that of the region where it is not set."""
    sigv4: SigV4 = SigV4()
    """Signature of the requests."""
    topic_arn: Template = ""
    """Topic; one of `topic_arn`, `target_arn` and `phone_number` is required."""
    phone_number: Template = ""
    """Phone number."""
    target_arn: Template = ""
    """Device or application."""
    subject: Template = '{{ template "sns.default.subject" . }}'
    """Subject, for e-mails."""
    message: Template = '{{ template "sns.default.message" . }}'
    """Text."""
    attributes: Templates = ()
    """Attributes of the message."""
    use_aws_http_client: Flag = False
    """Without meaning here."""

    def problems(self) -> Iterable[Problem]:
        """Exactly one addressee; a key with its secret."""
        if sum(map(bool, (self.topic_arn, self.target_arn, self.phone_number))) != 1:
            text = "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config"
            yield Problem((), text, "Set one of `topic_arn`, `target_arn` and `phone_number`.")
        if bool(self.sigv4.access_key) != bool(self.sigv4.secret_key):
            yield Problem(("sigv4",), "must provide a AWS SigV4 Access key and Secret Key", "Set both or none.")
