"""`global`: what holds for all receivers that do not say otherwise.

Source: Alertmanager's `config.GlobalConfig`.
"""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vedette.alerting.settings.fields import AlertingUrl, HostPort, SecretUrl, Template
from vedette.config.fields import Count, DurationOption, FileName, Flag, Interval, SecretOption
from vedette.config.http_client import HttpClient, TlsConfig
from vedette.config.secrets import Secret
from vedette.config.settings import Problem, Settings
from vedette.model.durations import Duration

SLACK_POST_MESSAGE: Final = "https://slack.com/api/chat.postMessage"

_EITHER: Final = (
    ("slack_app_token", "slack_app_token_file"),
    ("slack_api_url", "slack_api_url_file"),
    ("opsgenie_api_key", "opsgenie_api_key_file"),
    ("victorops_api_key", "victorops_api_key_file"),
    ("telegram_bot_token", "telegram_bot_token_file"),
    ("smtp_auth_password", "smtp_auth_password_file"),
    ("smtp_auth_secret", "smtp_auth_secret_file"),
    ("rocketchat_token", "rocketchat_token_file"),
    ("rocketchat_token_id", "rocketchat_token_id_file"),
    ("wechat_api_secret", "wechat_api_secret_file"),
    ("mattermost_webhook_url", "mattermost_webhook_url_file"),
    ("statuspage_api_key", "statuspage_api_key_file"),
)


def either_problems(settings: Settings, *pairs: tuple[str, str]) -> Iterable[Problem]:
    """Pairs of options of which both are there; the second one is pointed at."""
    for one, other in pairs:
        if getattr(settings, one) and getattr(settings, other):
            yield Problem((other,), f"at most one of {one} & {other} must be configured", "Remove one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlappingSettings(Settings):
    """When an alert counts as flapping: it fires and resolves again and again."""

    changes: Count = 6
    """How often it has to change between firing and resolved within `window`; 0 turns the detection off."""
    window: Interval = Duration(3_600_000)
    """How far back changes count."""
    quiet: Interval = Duration(900_000)
    """How long it has to stay as it is until it no longer counts as flapping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalSettings(Settings):
    """Defaults for all routes and receivers."""

    resolve_timeout: DurationOption = Duration(300_000)
    """When an alert that came without an end counts as resolved if nobody reports it again."""
    http_config: HttpClient = HttpClient()
    """HTTP requests of receivers without an own `http_config`."""
    flapping: FlappingSettings = FlappingSettings()
    """When an alert counts as flapping. Vedette's own."""
    jira_api_url: AlertingUrl = ""
    """API of Jira."""
    smtp_from: Template = ""
    """Sender of e-mails."""
    smtp_hello: str = "localhost"
    """How to introduce oneself to the mail server."""
    smtp_smarthost: HostPort = ""
    """Mail server, host:port."""
    smtp_auth_username: str = ""
    """User at the mail server."""
    smtp_auth_password: SecretOption = Secret()
    """Password at the mail server (LOGIN and PLAIN)."""
    smtp_auth_password_file: FileName = ""
    """File with the password."""
    smtp_auth_secret: SecretOption = Secret()
    """Secret at the mail server (CRAM-MD5)."""
    smtp_auth_secret_file: FileName = ""
    """File with the secret."""
    smtp_auth_identity: str = ""
    """Identity at the mail server (PLAIN)."""
    smtp_require_tls: Flag = True
    """Send nothing before STARTTLS."""
    smtp_tls_config: TlsConfig = TlsConfig()
    """TLS towards the mail server."""
    smtp_force_implicit_tls: Flag | None = None
    """TLS from the first byte; without it, on port 465 only."""
    slack_api_url: SecretUrl = Secret()
    """Webhook of Slack."""
    slack_api_url_file: FileName = ""
    """File with the webhook."""
    slack_app_token: SecretOption = Secret()
    """Bot token of Slack."""
    slack_app_token_file: FileName = ""
    """File with the bot token."""
    slack_app_url: AlertingUrl = SLACK_POST_MESSAGE
    """Where the bot token is used."""
    pagerduty_url: AlertingUrl = "https://events.pagerduty.com/v2/enqueue"
    """Events API of PagerDuty."""
    opsgenie_api_url: AlertingUrl = "https://api.opsgenie.com/"
    """API of Opsgenie."""
    opsgenie_api_key: SecretOption = Secret()
    """Key at Opsgenie."""
    opsgenie_api_key_file: FileName = ""
    """File with the key."""
    wechat_api_url: AlertingUrl = "https://qyapi.weixin.qq.com/cgi-bin/"
    """API of WeChat."""
    wechat_api_secret: SecretOption = Secret()
    """Secret at WeChat."""
    wechat_api_secret_file: FileName = ""
    """File with the secret."""
    wechat_api_corp_id: str = ""
    """Company at WeChat."""
    victorops_api_url: AlertingUrl = "https://alert.victorops.com/integrations/generic/20131114/alert/"
    """API of VictorOps."""
    victorops_api_key: SecretOption = Secret()
    """Key at VictorOps."""
    victorops_api_key_file: FileName = ""
    """File with the key."""
    telegram_api_url: AlertingUrl = "https://api.telegram.org"
    """API of Telegram."""
    telegram_bot_token: SecretOption = Secret()
    """Bot token of Telegram."""
    telegram_bot_token_file: FileName = ""
    """File with the bot token."""
    webex_api_url: AlertingUrl = "https://webexapis.com/v1/messages"
    """API of Webex."""
    rocketchat_api_url: AlertingUrl = "https://open.rocket.chat/"
    """Server of Rocket.Chat."""
    rocketchat_token: SecretOption = Secret()
    """Token at Rocket.Chat."""
    rocketchat_token_file: FileName = ""
    """File with the token."""
    rocketchat_token_id: SecretOption = Secret()
    """Id of the token."""
    rocketchat_token_id_file: FileName = ""
    """File with the id."""
    mattermost_webhook_url: SecretUrl = Secret()
    """Webhook of Mattermost."""
    mattermost_webhook_url_file: FileName = ""
    """File with the webhook."""
    statuspage_api_url: AlertingUrl = "https://api.statuspage.io/"
    """API of Statuspage. Vedette's own."""
    statuspage_api_key: SecretOption = Secret()
    """Key at Statuspage."""
    statuspage_api_key_file: FileName = ""
    """File with the key."""

    def problems(self) -> Iterable[Problem]:
        """Each secret from one source; Slack by webhook or by bot token."""
        yield from either_problems(self, *_EITHER)
        token = bool(self.slack_app_token or self.slack_app_token_file)
        webhook = bool(self.slack_api_url or self.slack_api_url_file)
        # The bot's own address as webhook is an older way to use bot tokens, with the token in `http_config`.
        if token and webhook and self.slack_api_url.value != self.slack_app_url:
            text = (
                "at most one of slack_app_token/slack_app_token_file & "
                "slack_api_url/slack_api_url_file must be configured"
            )
            option = "slack_app_token" if self.slack_app_token else "slack_app_token_file"
            yield Problem((option,), text, "Remove the webhook or the bot token.")
