"""Reading a configuration: the file, what it includes, and the rules between them.

`vedette.yml` holds Vedette's own sections and any section of a prometheus.yml; `include` names
prometheus.yml files that are used as they are. A file's `global` section holds for the jobs of that file;
what it says of the whole server (external labels, evaluation interval) counts from `vedette.yml`, or from
the first included file where `vedette.yml` has no `global`.

All errors of all files are reported at once.
"""

from __future__ import annotations

import dataclasses
import glob
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from vedette.config.alerts import AlertmanagerText
from vedette.config.config import Config, ConfigWarning, Loaded, PrometheusFile, PrometheusSections, VedetteFile
from vedette.config.diagnosis import place_of, read_settings
from vedette.config.document import MAX_BYTES, Document, parse_document
from vedette.config.elsewhere import Alerting
from vedette.config.environment import UnsetVariableError, expand, expand_label
from vedette.config.limits import Limits
from vedette.config.paths import join_directory
from vedette.config.resolve import (
    alerting_problems,
    job_problems,
    resolve_global,
    resolve_job,
    rule_problems,
    translation_problems,
)
from vedette.config.scrape import GlobalConfig, ScrapeConfig, ScrapeFile
from vedette.config.settings import Problem
from vedette.config.storage import Exemplars, Storage, Tsdb
from vedette.config.support import unsupported
from vedette.model.durations import Duration
from vedette.model.errors import ConfigError, ConfigErrors, Location
from vedette.model.labels import label_set

_MAX_FILES: Final = 1000
_WHOLE_SERVER: Final = ("external_labels", "evaluation_interval", "rule_query_offset")


def default_config() -> Config:
    """What holds without a configuration file: this host and Vedette itself are watched."""
    return Config(global_=resolve_global(GlobalConfig()))


def load(path: str | Path, *, env: Mapping[str, str] | None = None) -> Loaded:
    """Read `vedette.yml` (or a prometheus.yml) and everything that it includes.

    Args:
        path: the file.
        env: environment variables; those of the process where it is None.

    Raises:
        ConfigErrors: with everything that is wrong.
    """
    reader = _Reader(os.environ if env is None else env)
    raw = reader.read(str(path))
    return reader.load(raw, str(path))


def load_text(text: str | bytes, *, file: str, env: Mapping[str, str] | None = None) -> Loaded:
    """As `load`, for a text; `file` names it in messages and says where relative paths start.

    Raises:
        ConfigErrors: with everything that is wrong.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return _Reader(os.environ if env is None else env).load(raw, file)


@dataclass(slots=True)
class _Source:
    """One file with its sections.

    Attributes:
        jobs: its jobs and those of its `scrape_config_files`, resolved.
    """

    document: Document
    settings: PrometheusSections
    shared: GlobalConfig
    jobs: list[ScrapeConfig] = field(default_factory=list[ScrapeConfig])

    def has(self, *path: str) -> bool:
        """Whether the file has an option."""
        return len(self.document.trail(path)) > len(path)


class _Reader:
    """Reads files and collects what is wrong with them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._errors: list[ConfigError] = []
        self._warnings: list[ConfigWarning] = []
        self._files: list[str] = []
        self._job_places: dict[str, Location] = {}

    def read(self, file: str) -> bytes:
        """A file's bytes, not many more than are allowed."""
        try:
            with Path(file).open("rb") as stream:
                return stream.read(MAX_BYTES + 1)
        except OSError as exc:
            problem = f"the file cannot be read: {exc.strerror or exc}"
            raise ConfigErrors([ConfigError(at=Location(file), problem=problem)]) from exc

    def load(self, raw: bytes, file: str) -> Loaded:
        """The configuration that starts with this file."""
        self._files.append(file)
        document = parse_document(raw, file=file, expand=self._expand)
        main, errors = read_settings(document, VedetteFile)
        self._errors.extend(errors)
        main = main or VedetteFile()
        sources = [self._source(document, main)]
        for index, pattern in enumerate(main.include):
            at = document.locate(("include", index))
            for included in self._matches(pattern, file, at):
                source = self._included(included)
                if source is not None:
                    sources.append(source)
        config = dataclasses.replace(self._merge(main, sources), alertmanager=self._alertmanager(main, sources[0], raw))
        order = {name: number for number, name in enumerate(self._files)}
        if self._errors:
            self._errors.sort(key=lambda e: (order.get(e.at.file, len(order)), e.at.line, e.at.column))
            raise ConfigErrors(list({str(error): error for error in self._errors}.values()))
        self._warnings.sort(key=lambda w: (order.get(w.at.file, len(order)), w.at.line))
        return Loaded(config, tuple(dict.fromkeys(self._warnings)), tuple(dict.fromkeys(self._files)))

    def _alertmanager(self, main: VedetteFile, source: _Source, raw: bytes) -> AlertmanagerText | None:
        """An alertmanager.yml by name, or the section that holds its content."""
        document = source.document
        if main.alertmanager is not None:
            if main.alertmanager_file:
                at = document.locate(("alertmanager_file",), key=True)
                problem = "`alertmanager_file` and `alertmanager` contradict each other"
                self._errors.append(ConfigError(at=at, problem=problem, remedy="Remove one."))
            return AlertmanagerText(document.file, raw, "alertmanager", self._expand)
        if not main.alertmanager_file:
            return None
        settings = source.settings
        assert isinstance(settings, VedetteFile)  # noqa: S101 - the first source is the main file
        file = settings.alertmanager_file
        self._files.append(file)
        try:
            return AlertmanagerText(file, self.read(file))
        except ConfigErrors as exc:
            at = document.locate(("alertmanager_file",))
            problem = f'"{main.alertmanager_file}": {exc.errors[0].problem}'
            self._errors.append(ConfigError(at=at, problem=problem, remedy="Mend the path or create the file."))
            return None

    def _expand(self, text: str) -> str:
        try:
            return expand(text, self._env)
        except UnsetVariableError as exc:
            problem = f"the environment variable {exc.name} is not set"
            remedy = f"Set it, or give a default: ${{{exc.name}:-default}}. A literal ${{ is written $${{."
            raise ValueError(f"{problem}\n{remedy}") from exc

    def _matches(self, pattern: str, file: str, at: Location) -> list[str]:
        whole = os.path.join(os.path.dirname(file), pattern)  # noqa: PTH118, PTH120 - texts, as the user wrote them
        found = sorted(glob.glob(whole))  # noqa: PTH207 - patterns may be absolute
        if not found and not glob.has_magic(pattern):
            problem = f'"{pattern}" does not point to an existing file'
            self._errors.append(ConfigError(at=at, problem=problem, remedy="Mend the path or create the file."))
        if len(found) + len(self._files) > _MAX_FILES:
            problem = f'"{pattern}" matches {len(found)} files; a configuration has at most {_MAX_FILES}'
            self._errors.append(ConfigError(at=at, problem=problem))
            return []
        return found

    def _document(self, file: str) -> Document | None:
        """A file besides the first, as a document; what is wrong is kept."""
        try:
            raw = self.read(file)
            self._files.append(file)
            return parse_document(raw, file=file)
        except ConfigErrors as exc:
            self._files.append(file)
            self._errors.extend(exc.errors)
            return None

    def _included(self, file: str) -> _Source | None:
        document = self._document(file)
        if document is None:
            return None
        settings, errors = read_settings(document, PrometheusFile)
        self._errors.extend(errors)
        return self._source(document, settings or PrometheusFile())

    def _source(self, document: Document, settings: PrometheusSections) -> _Source:
        directory = os.path.dirname(document.file)  # noqa: PTH120 - a text, as the user wrote it
        self._warnings.extend(unsupported(document))
        shared = resolve_global(self._with_labels(document, settings.global_ or GlobalConfig()))
        source = _Source(document, join_directory(settings, directory), join_directory(shared, directory))
        self._jobs(source, document, settings.scrape_configs, directory)
        for index, pattern in enumerate(settings.scrape_config_files):
            at = document.locate(("scrape_config_files", index))
            for file in self._matches(pattern, document.file, at):
                self._scrape_file(source, file)
        scheme = shared.metric_name_validation_scheme
        self._report(document, ("alerting",), alerting_problems(settings.alerting, scheme))
        self._report(document, ("otlp",), translation_problems(settings.otlp.translation_strategy, scheme))
        for index, write in enumerate(settings.remote_write):
            name = "write_relabel_configs"
            self._report(document, ("remote_write", index), rule_problems(write.write_relabel_configs, scheme, name))
        return source

    def _with_labels(self, document: Document, shared: GlobalConfig) -> GlobalConfig:
        labels: dict[str, str] = {}
        for name, text in shared.external_labels:
            at = document.locate(("global", "external_labels", name))

            def unset(variable: str, at: Location = at, name: str = name) -> None:
                warning = f"the environment variable {variable} is not set; in the label `{name}` it is empty"
                self._warnings.append(ConfigWarning(at, warning))

            labels[name] = expand_label(text, self._env, unset)
        return dataclasses.replace(shared, external_labels=label_set(labels))

    def _scrape_file(self, source: _Source, file: str) -> None:
        document = self._document(file)
        if document is None:
            return
        settings, errors = read_settings(document, ScrapeFile)
        self._errors.extend(errors)
        if settings is not None:
            self._warnings.extend(unsupported(document))
            self._jobs(source, document, settings.scrape_configs, os.path.dirname(file))  # noqa: PTH120 - a text

    def _jobs(self, source: _Source, document: Document, jobs: tuple[ScrapeConfig, ...], directory: str) -> None:
        for index, job in enumerate(jobs):
            path = ("scrape_configs", index)
            whole = resolve_job(job, source.shared)
            self._report(document, path, job_problems(whole))
            at = document.locate((*path, "job_name"))
            first = self._job_places.setdefault(job.job_name, at)
            if first is not at:
                problem = f'found multiple scrape configs with job name "{job.job_name}", first in {first}'
                self._errors.append(ConfigError(at=at, problem=problem, remedy="Rename one of them."))
            source.jobs.append(join_directory(whole, directory))

    def _report(self, document: Document, path: tuple[str | int, ...], problems: Any) -> None:
        problem: Problem
        for problem in problems:
            at = place_of(document, document.find((*path, *problem.path)))
            self._errors.append(ConfigError(at=at, problem=problem.text, remedy=problem.remedy))

    def _merge(self, main: VedetteFile, sources: list[_Source]) -> Config:
        first = next((one for one in sources if one.settings.global_ is not None), sources[0])
        for other in sources:
            self._ignored_globals(first, other)
        self._names(sources, "remote_write")
        self._names(sources, "remote_read")
        storage, limits = self._storage(main, sources)
        joined = sources[0].settings
        assert isinstance(joined, VedetteFile)  # noqa: S101 - the first source is the main file
        return Config(
            http=joined.http,
            auth=joined.auth,
            storage=storage,
            limits=limits,
            query=joined.query,
            rules=joined.rules,
            host=joined.host,
            self_=joined.self_,
            logging=joined.logging,
            alerts=main.alerts,
            global_=first.shared,
            jobs=tuple(job for one in sources for job in one.jobs),
            rule_files=tuple(name for one in sources for name in one.settings.rule_files),
            remote_write=tuple(write for one in sources for write in one.settings.remote_write),
            remote_read=tuple(read for one in sources for read in one.settings.remote_read),
            alerting=Alerting(
                alert_relabel_configs=tuple(r for s in sources for r in s.settings.alerting.alert_relabel_configs),
                alertmanagers=tuple(a for s in sources for a in s.settings.alerting.alertmanagers),
            ),
            otlp=self._once(sources, "otlp"),
            tracing=self._once(sources, "tracing"),
            runtime=self._once(sources, "runtime"),
        )

    def _ignored_globals(self, first: _Source, other: _Source) -> None:
        for name in _WHOLE_SERVER:
            if other is first or not other.has("global", name):
                continue
            if getattr(other.shared, name) != getattr(first.shared, name):
                at = other.document.locate(("global", name), key=True)
                text = f"`global.{name}` holds for the whole server and counts from {first.document.file}"
                self._warnings.append(ConfigWarning(at, f"{text}; here it has no effect"))

    def _names(self, sources: list[_Source], section: str) -> None:
        """Names of remote stores are unique where they are given."""
        seen: dict[str, Location] = {}
        for source in sources:
            for index, store in enumerate(getattr(source.settings, section)):
                if not store.name:
                    continue
                at = source.document.locate((section, index, "name"))
                first = seen.setdefault(store.name, at)
                if first is not at:
                    problem = f'found multiple {section} configs with name "{store.name}", first in {first}'
                    self._errors.append(ConfigError(at=at, problem=problem, remedy="Rename one of them."))

    def _once(self, sources: list[_Source], section: str) -> Any:
        """A section that is there once: of the first file that has it."""
        holders = [one for one in sources if one.has(section)]
        for other in holders[1:]:
            if getattr(other.settings, section) != getattr(holders[0].settings, section):
                at = other.document.locate((section,), key=True)
                text = f"`{section}` counts from {holders[0].document.file}; here it has no effect"
                self._warnings.append(ConfigWarning(at, text))
        return getattr((holders or sources)[0].settings, section)

    def _storage(self, main: VedetteFile, sources: list[_Source]) -> tuple[Storage, Limits]:
        """Vedette's settings, with Prometheus' where Vedette's are not set."""
        own = sources[0]
        joined = own.settings
        assert isinstance(joined, VedetteFile)  # noqa: S101 - the first source is the main file
        storage, limits = joined.storage, main.limits
        tsdb: Tsdb | None = None
        exemplars: Exemplars | None = None
        for source in sources:
            settings = source.settings
            if not isinstance(settings, VedetteFile | PrometheusFile):
                continue
            tsdb = tsdb or settings.storage.tsdb
            exemplars = exemplars or settings.storage.exemplars
        if tsdb is not None:
            if tsdb.retention.time and not own.has("storage", "retention", "metrics"):
                retention = dataclasses.replace(storage.retention, metrics=tsdb.retention.time)
                storage = dataclasses.replace(storage, retention=retention)
            if tsdb.out_of_order_time_window and not own.has("storage", "out_of_order_window"):
                window = Duration(tsdb.out_of_order_time_window.ms)
                storage = dataclasses.replace(storage, out_of_order_window=window)
        if exemplars is not None and not own.has("limits", "exemplars"):
            limits = dataclasses.replace(limits, exemplars=max(exemplars.max_exemplars, 0))
        return storage, limits
