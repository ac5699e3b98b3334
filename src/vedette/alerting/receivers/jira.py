"""Jira: an issue for each group of alerts."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from vedette.alerting.receivers.kind import HttpIntegration, first, needed
from vedette.alerting.settings.fields import AlertingUrl, Anything, FrozenMapping, Template
from vedette.alerting.settings.shared import GlobalSettings
from vedette.config.document import kind_of
from vedette.config.fields import DurationOption, Flag, choice
from vedette.config.settings import Problem, Settings
from vedette.model.durations import Duration


class JiraApi(StrEnum):
    """Which Jira it is."""

    AUTO = "auto"
    CLOUD = "cloud"
    DATACENTER = "datacenter"


@dataclass(frozen=True, slots=True, kw_only=True)
class JiraText(Settings):
    """A text of the issue; short form: the template alone."""

    template: Template = ""
    """The text."""
    enable_update: Flag = True
    """Change it on issues that are open already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JiraLabels(Settings):
    """Labels of the issue; short form: the list alone."""

    values: tuple[Template, ...] = ()
    """The labels."""
    enable_update: Flag = True
    """Change them on issues that are open already."""


def _text(found: object) -> object:
    return {"template": found} if isinstance(found, str) else found


def _labels(found: Any) -> Any:
    listed: Any = {"values": found}
    return listed if isinstance(found, list) else found


@dataclass(frozen=True, slots=True, kw_only=True)
class JiraSettings(HttpIntegration):
    """A project of Jira."""

    kind: ClassVar[str] = "jira"
    structures: ClassVar[tuple[str, ...]] = ("fields",)

    api_url: AlertingUrl = ""
    """API, e.g. https://company.atlassian.net/rest/api/3/."""
    api_type: Annotated[JiraApi, choice(JiraApi)] = JiraApi.AUTO
    """cloud, datacenter, or auto: by the address."""
    project: Template = ""
    """Key of the project. Required."""
    summary: Annotated[JiraText, BeforeValidator(_text)] = JiraText(template='{{ template "jira.default.summary" . }}')
    """Title of the issue."""
    description: Annotated[JiraText, BeforeValidator(_text)] = JiraText(
        template='{{ template "jira.default.description" . }}'
    )
    """Description of the issue."""
    labels: Annotated[JiraLabels, BeforeValidator(_labels)] = JiraLabels()
    """Labels of the issue."""
    priority: Template = '{{ template "jira.default.priority" . }}'
    """Priority of the issue."""
    issue_type: Template = ""
    """Type of the issue, e.g. Bug. Required."""
    reopen_transition: Template = ""
    """Transition that opens an issue again."""
    resolve_transition: Template = ""
    """Transition that resolves an issue."""
    wont_fix_resolution: Template = ""
    """Resolution of issues that are not opened again."""
    reopen_duration: DurationOption = Duration(0)
    """How long after its resolution an issue is opened again instead of making another one; 0 for never."""
    fields: Anything = None
    """Further fields: any structure, with templates in its texts."""

    def problems(self) -> Iterable[Problem]:
        """A project and a type."""
        yield from needed(self, "missing project in jira_config", "project")
        yield from needed(self, "missing issue_type in jira_config", "issue_type")
        if self.fields is not None and not isinstance(self.fields, FrozenMapping):
            yield Problem(("fields",), f"fields: expected a mapping, found {kind_of(self.fields)}")

    def taken(self, shared: GlobalSettings) -> dict[str, Any]:
        """The address."""
        return {**HttpIntegration.taken(self, shared), **first(self, shared, api_url="jira_api_url")}

    def filled_problems(self) -> Iterable[Problem]:
        """An address."""
        remedy = "Add `api_url` here or `jira_api_url` in `global`."
        yield from needed(self, "no global Jira Cloud URL set", "api_url", remedy=remedy)
