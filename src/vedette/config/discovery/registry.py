"""The kinds of service discovery, one line each, and how a configuration section holds them.

A scrape configuration has one key per kind (`dns_sd_configs`); the settings have one list, `discovery`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, cast

from pydantic import Field, PlainValidator, TypeAdapter, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from vedette.config.discovery.dns import DnsDiscovery
from vedette.config.discovery.docker import DockerDiscovery
from vedette.config.discovery.file import FileDiscovery
from vedette.config.discovery.foreign import FOREIGN, ForeignDiscovery, read_foreign
from vedette.config.discovery.http import HttpDiscovery
from vedette.config.discovery.kind import DiscoverySettings
from vedette.config.discovery.kubernetes import KubernetesDiscovery
from vedette.config.discovery.static import TargetGroup
from vedette.config.document import kind_of
from vedette.config.http_client import HttpClient
from vedette.config.settings import Problem, details_of, failure

_KINDS: Final[tuple[type[DiscoverySettings], ...]] = (
    TargetGroup,
    FileDiscovery,
    DnsDiscovery,
    HttpDiscovery,
    DockerDiscovery,
    KubernetesDiscovery,
)


def discovery_key(kind: str) -> str:
    """The key of a kind's settings in a scrape configuration."""
    return "static_configs" if kind == TargetGroup.kind else f"{kind}_sd_configs"


SUPPORTED: Final = {discovery_key(kind.kind): kind for kind in _KINDS}
"""Settings classes by key."""
FOREIGN_KEYS: Final = {discovery_key(name): name for name in FOREIGN}
"""Kinds that Vedette does not have, by key."""
DISCOVERY_KEYS: Final = frozenset({*SUPPORTED, *FOREIGN_KEYS})

GATHERED: Final = "<discovery>"
"""Where the keys of all kinds are gathered for validation; no YAML key can be this by accident."""


@cache
def _adapter(key: str) -> TypeAdapter[DiscoverySettings]:
    return TypeAdapter(SUPPORTED[key])


def _read(found: dict[str, Any]) -> tuple[DiscoverySettings, ...]:
    read: list[DiscoverySettings] = []
    details: list[InitErrorDetails] = []
    for key, items in found.items():
        if not isinstance(items, list):
            text = f"expected a list, found {kind_of(items)}"
            details.append(failure(Problem((key,), text, "Start each entry with `- `.")))
            continue
        for index, item in enumerate(cast("list[Any]", items)):
            one, errors = _read_one(key, item)
            details.extend(_below(errors, (key, index)))
            if one is not None:
                read.append(one)
    if details:
        raise ValidationError.from_exception_data("discovery", details)
    return tuple(read)


def _read_one(key: str, item: Any) -> tuple[DiscoverySettings | None, list[InitErrorDetails]]:
    if item is None:
        return None, [failure(Problem((), f"empty or null section in {key}", "Fill it in or remove it."))]
    if not isinstance(item, dict):
        return None, [failure(Problem((), f"{key}: expected a mapping, found {kind_of(item)}"))]
    if key in FOREIGN_KEYS:
        return read_foreign(FOREIGN_KEYS[key], cast("dict[str, Any]", item))
    try:
        return _adapter(key).validate_python(item), []
    except ValidationError as exc:
        return None, details_of(exc)


def _below(details: list[InitErrorDetails], path: tuple[str | int, ...]) -> list[InitErrorDetails]:
    return [
        InitErrorDetails(type=detail["type"], loc=(*path, *detail.get("loc", ())), input=detail["input"])
        for detail in details
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovering(HttpClient):
    """Settings of things that are found by service discovery and reached by HTTP; each kind has its key."""

    discovery: Annotated[tuple[DiscoverySettings, ...], PlainValidator(_read), Field(validation_alias=GATHERED)] = ()

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, found: Any) -> Any:
        if not isinstance(found, dict):
            return found
        options: dict[str, Any] = dict(cast("dict[str, Any]", found))
        gathered = {key: options.pop(key) for key in list(options) if key in DISCOVERY_KEYS}
        if gathered:
            options[GATHERED] = gathered
        return options

    def static_targets(self) -> tuple[TargetGroup, ...]:
        """The targets that are written down."""
        return tuple(one for one in self.discovery if isinstance(one, TargetGroup))

    @property
    def unsupported(self) -> tuple[str, ...]:
        """Kinds of discovery that are configured and that Vedette does not have."""
        return tuple(sorted({one.name for one in self.discovery if isinstance(one, ForeignDiscovery)}))

    @property
    def active(self) -> bool:
        """Whether there is a supported way to find targets, or none at all is asked for."""
        return not self.discovery or any(one.supported for one in self.discovery)
