"""From what discovery finds to the URLs of Alertmanagers.

Source: Prometheus' `notifier/notifier.go` (`AlertmanagerFromGroup`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from vedette.collect.discovery import TargetGroup
from vedette.config import Alertmanager
from vedette.ingest.relabel import Rules, relabel
from vedette.model.labels import label_set

_ADDRESS: Final = "__address__"
_SCHEME: Final = "__scheme__"
_PATH: Final = "__alerts_path__"
_API: Final = "api/v2/alerts"


@dataclass(frozen=True, slots=True)
class Addresses:
    """What was found.

    Attributes:
        urls: where alerts are sent; each once, in order.
        dropped: URLs that relabelling left out.
        problems: what is no address, in sentences.
    """

    urls: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def find_addresses(groups: Iterable[TargetGroup], config: Alertmanager, rules: Rules) -> Addresses:
    """The Alertmanagers among some groups of targets.

    Args:
        groups: as discovery found them.
        config: the section.
        rules: its `relabel_configs`, compiled.
    """
    urls: dict[str, None] = {}
    dropped: dict[str, None] = {}
    problems: list[str] = []
    prefix = config.path_prefix.strip("/")
    basics = {_SCHEME: str(config.scheme), _PATH: f"/{prefix}/{_API}" if prefix else f"/{_API}"}
    for group in groups:
        for own in group.targets:
            labels = label_set({**basics, **group.labels, **own})
            kept = relabel(labels, rules)
            found = dict(labels if kept is None else kept)
            address = found.get(_ADDRESS, "")
            if not address or "/" in address:
                problems.append(f'"{address}" is not a valid hostname')
            elif kept is None:
                dropped[_url(found)] = None
            else:
                urls[_url(found)] = None
    return Addresses(tuple(urls), tuple(dropped), tuple(problems))


def _url(labels: Mapping[str, str]) -> str:
    path = quote(labels.get(_PATH, ""), safe="/:@!$&'()*+,;=~")
    return f"{labels.get(_SCHEME, 'http')}://{labels[_ADDRESS]}{path}"
