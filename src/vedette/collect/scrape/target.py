"""From a discovered target to one that can be scraped: its labels, its URL and its place in the interval.

Source: Prometheus 3, `scrape/target.go` (PopulateLabels, URL, hash and offset).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus, urlsplit

import xxhash

from vedette.config import ScrapeConfig
from vedette.ingest.relabel import Rules, relabel
from vedette.model.durations import parse_duration
from vedette.model.labels import LabelSet, encode_labels, label_set

_ADDRESS: Final = "__address__"
_SCHEME: Final = "__scheme__"
_PATH: Final = "__metrics_path__"
_INTERVAL: Final = "__scrape_interval__"
_TIMEOUT: Final = "__scrape_timeout__"
_PARAM: Final = "__param_"
_META: Final = "__meta_"


class TargetError(ValueError):
    """A target's labels do not make a target."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something to scrape.

    Attributes:
        discovered: labels before relabelling.
        labels: those of its series.
        url: what to fetch.
        interval_ms: how often.
        timeout_ms: how long a fetch may take.
    """

    discovered: LabelSet
    labels: LabelSet
    url: str
    interval_ms: int
    timeout_ms: int

    @property
    def key(self) -> tuple[LabelSet, str, int, int]:
        """Targets with equal keys are one target."""
        return self.labels, self.url, self.interval_ms, self.timeout_ms

    def offset_ms(self, seed: bytes) -> int:
        """When in its interval it is scraped: the same after every restart, different from other targets'."""
        return xxhash.xxh3_64_intdigest(seed + encode_labels(self.labels) + self.url.encode()) % self.interval_ms


def build_target(
    own: Mapping[str, str], group: Mapping[str, str], job: ScrapeConfig, rules: Rules
) -> tuple[LabelSet, Target | None]:
    """The labels before relabelling, and the target; None if relabelling drops it.

    Args:
        own: labels of the target itself, with its `__address__`.
        group: labels of the group that it was found in.
        job: its job.
        rules: the job's `relabel_configs`, compiled.

    Raises:
        TargetError: after relabelling there is no address, or no valid interval.
    """
    params = {f"{_PARAM}{name}": values[0] for name, values in job.params if values}
    found = {
        "job": job.job_name,
        _INTERVAL: str(job.scrape_interval),
        _TIMEOUT: str(job.scrape_timeout),
        _PATH: job.metrics_path,
        _SCHEME: job.scheme.value,
        **params,
    }
    # What discovery says counts more than what the job says.
    discovered = label_set({**found, **dict(group), **dict(own)})
    relabelled = relabel(discovered, rules)
    if relabelled is None:
        return discovered, None
    labels = dict(relabelled)
    address = labels.get(_ADDRESS, "")
    if not address:
        raise TargetError("no address")
    if "/" in address:
        raise TargetError(f'"{address}" is not a valid hostname')
    interval_ms, timeout_ms = _interval(labels, _INTERVAL), _interval(labels, _TIMEOUT)
    if timeout_ms > interval_ms:
        raise TargetError(
            f"scrape timeout cannot be greater than scrape interval ({labels[_TIMEOUT]} > {labels[_INTERVAL]})"
        )
    labels.setdefault("instance", address)
    shown = label_set({name: value for name, value in labels.items() if not name.startswith("__")})
    return discovered, Target(discovered, shown, _url(labels, job), interval_ms, timeout_ms)


def _interval(labels: Mapping[str, str], name: str) -> int:
    text = labels.get(name, "")
    try:
        duration_ms = parse_duration(text)
    except ValueError as exc:
        raise TargetError(f"error parsing {name.strip('_').replace('_', ' ')} {text!r}: {exc}") from exc
    if duration_ms <= 0:
        raise TargetError(f"{name.strip('_').replace('_', ' ')} cannot be 0")
    return duration_ms


def _url(labels: Mapping[str, str], job: ScrapeConfig) -> str:
    """What to fetch: a path may bring its own parameters; those of `__param_` labels replace a first value."""
    params = {name: list(values) for name, values in job.params}
    for name, value in labels.items():
        if name.startswith(_PARAM):
            params[name.removeprefix(_PARAM)] = [value, *params.get(name.removeprefix(_PARAM), [])[1:]]
    path = labels.get(_PATH, "")
    path, _, query = path.partition("?")
    texts = [query] if query else []
    texts += [f"{quote_plus(name)}={quote_plus(value)}" for name in sorted(params) for value in params[name]]
    base = f"{labels.get(_SCHEME, '')}://{labels[_ADDRESS]}"
    if not path.startswith("/"):
        path = f"/{path}"
    url = f"{base}{_quote_path(path)}" + (f"?{'&'.join(texts)}" if texts else "")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as exc:
        raise TargetError(f"{url!r} is not a URL: {exc}") from exc
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TargetError(f"{url!r} is not a URL that can be fetched")
    return url


def _quote_path(path: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() and c not in ' "<>`{}|\\^#' else _percent(c) for c in path)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def unique_targets(targets: Sequence[Target]) -> list[Target]:
    """Without those that are the same as an earlier one."""
    return list({target.key: target for target in reversed(targets)}.values())[::-1]
