"""WeChat. Accepted, not delivered."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from vedette.alerting.receivers.kind import HttpIntegration, first, needed, pair, with_slash
from vedette.alerting.settings.fields import AlertingUrl, Template
from vedette.alerting.settings.shared import GlobalSettings, either_problems
from vedette.config.fields import FileName, Flag, SecretOption, choice
from vedette.config.secrets import Secret
from vedette.config.settings import Problem


class WechatMessage(StrEnum):
    """Types of messages."""

    UNSET = ""
    TEXT = "text"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True, kw_only=True)
class WechatSettings(HttpIntegration):
    """People of a company at WeChat."""

    kind: ClassVar[str] = "wechat"
    delivered: ClassVar[bool] = False

    send_resolved: Flag = False
    """Tell when alerts have ended, too."""
    api_secret: SecretOption = Secret()
    """Secret."""
    api_secret_file: FileName = ""
    """File with the secret."""
    corp_id: Template = ""
    """Company."""
    message: Template = '{{ template "wechat.default.message" . }}'
    """Text."""
    api_url: AlertingUrl = ""
    """API."""
    to_user: Template = '{{ template "wechat.default.to_user" . }}'
    """Users."""
    to_party: Template = '{{ template "wechat.default.to_party" . }}'
    """Departments."""
    to_tag: Template = '{{ template "wechat.default.to_tag" . }}'
    """Tags."""
    agent_id: Template = '{{ template "wechat.default.agent_id" . }}'
    """Application."""
    message_type: Annotated[WechatMessage, choice(WechatMessage)] = WechatMessage.UNSET
    """text or markdown."""

    def problems(self) -> Iterable[Problem]:
        """The secret from one source."""
        yield from either_problems(self, ("api_secret", "api_secret_file"))

    def taken(self, shared: GlobalSettings) -> dict[str, Any]:
        """Address, secret and company."""
        taken = first(self, shared, api_url="wechat_api_url", corp_id="wechat_api_corp_id")
        return {
            **HttpIntegration.taken(self, shared),
            **pair(self, shared, ("api_secret", "api_secret_file"), ("wechat_api_secret", "wechat_api_secret_file")),
            **taken,
            "api_url": with_slash(taken["api_url"]) if taken["api_url"] else "",
            "message_type": self.message_type or WechatMessage.TEXT,
        }

    def filled_problems(self) -> Iterable[Problem]:
        """Address, secret and company."""
        yield from needed(self, "no global Wechat URL set", "api_url")
        text = "no global Wechat Api Secret set either inline or in a file"
        remedy = "Add `api_secret` here or `wechat_api_secret` in `global`."
        yield from needed(self, text, "api_secret", "api_secret_file", remedy=remedy)
        remedy = "Add `corp_id` here or `wechat_api_corp_id` in `global`."
        yield from needed(self, "no global Wechat CorpID set", "corp_id", remedy=remedy)
