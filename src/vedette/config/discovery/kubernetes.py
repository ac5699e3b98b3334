"""Targets in a Kubernetes cluster: `kubernetes_sd_configs`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from vedette.config.discovery.kind import DiscoverySettings
from vedette.config.fields import FileName, Flag, Url, choice
from vedette.config.http_client import HttpClient
from vedette.config.settings import Problem, Settings


class Role(StrEnum):
    """Objects that become targets."""

    POD = "pod"
    SERVICE = "service"
    ENDPOINTS = "endpoints"
    ENDPOINTSLICE = "endpointslice"
    NODE = "node"
    INGRESS = "ingress"


_SELECTABLE: Final = {
    Role.POD: (Role.POD, Role.NODE),
    Role.SERVICE: (Role.SERVICE,),
    Role.ENDPOINTS: (Role.POD, Role.SERVICE, Role.ENDPOINTS),
    Role.ENDPOINTSLICE: (Role.POD, Role.SERVICE, Role.ENDPOINTSLICE),
    Role.NODE: (Role.NODE,),
    Role.INGRESS: (Role.INGRESS,),
}

_KEY: Final = r"(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_LABEL_VALUE: Final = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_LABEL_TERM = re.compile(
    rf"\s*(?:!\s*{_KEY}|{_KEY}(?:\s*(?:==?|!=)\s*{_LABEL_VALUE}|\s*[<>]\s*-?\d+"
    rf"|\s+(?:not)?in\s*\(\s*{_LABEL_VALUE}\s*(?:,\s*{_LABEL_VALUE}\s*)*\))?)\s*"
)
_FIELD_TERM = re.compile(r"[^=!,]+(?:==?|!=)(?:[^\\,=]|\\[\\,=])*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector(Settings):
    """Which objects of a role to ask for."""

    role: Annotated[Role, choice(Role)]
    """Role that the selector is for. Required."""
    label: str = ""
    """Label selector: `app=web,tier in (a,b)`."""
    field: str = ""
    """Field selector: `metadata.name=web`."""

    def problems(self) -> Iterable[Problem]:
        """Selectors that Kubernetes would not understand."""
        if self.label.strip() and not is_label_selector(self.label):
            yield Problem(("label",), f"invalid selector: '{self.label}'; can't understand it")
        for term in re.split(r"(?<!\\),", self.field):
            if term and not _FIELD_TERM.fullmatch(term):
                yield Problem(("field",), f"invalid selector: '{self.field}'; can't understand '{term}'")


def is_label_selector(text: str) -> bool:
    """Whether Kubernetes understands a label selector."""
    terms = re.split(r",(?![^(]*\))", text)
    return all(_LABEL_TERM.fullmatch(term) for term in terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespaces(Settings):
    """Where to look."""

    own_namespace: Flag = False
    """Look in the namespace that Vedette runs in."""
    names: tuple[str, ...] = ()
    """Look in these; without any: in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachMetadata(Settings):
    """Further metadata of targets."""

    node: Flag = False
    """Metadata of the node; for pod, endpoints and endpointslice."""
    namespace: Flag = False
    """Metadata of the namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesDiscovery(HttpClient, DiscoverySettings):
    """Pods, services, endpoints, nodes or ingresses of a cluster."""

    kind: ClassVar[str] = "kubernetes"

    role: Annotated[Role, choice(Role)]
    """Objects that become targets. Required."""
    api_server: Url = ""
    """The API server; without one: that of the cluster Vedette runs in, with the pod's service account."""
    kubeconfig_file: FileName = ""
    """A kubeconfig file instead."""
    namespaces: Namespaces = Namespaces()
    """Where to look."""
    selectors: tuple[Selector, ...] = ()
    """Which objects to ask for."""
    attach_metadata: AttachMetadata = AttachMetadata()
    """Further metadata of targets."""

    def problems(self) -> Iterable[Problem]:
        """One way to reach the API server, and selectors that fit the role."""
        yield from self.client_problems()
        together = "cannot use '{}' and '{}' simultaneously"
        if self.kubeconfig_file and self.api_server:
            text = together.format("kubeconfig_file", "api_server")
            yield Problem(("kubeconfig_file",), text, "Remove one.")
        if self.namespaces.own_namespace and (self.kubeconfig_file or self.api_server):
            other = "kubeconfig_file" if self.kubeconfig_file else "api_server"
            text = together.format(other, "namespaces.own_namespace")
            yield Problem(("namespaces", "own_namespace"), text, "List the namespaces under `names`.")
        if not self.api_server and self._client_changed():
            if self.kubeconfig_file:
                text = "cannot use a custom HTTP client configuration together with 'kubeconfig_file'"
                yield Problem(("kubeconfig_file",), text, "Put credentials and TLS into the kubeconfig file.")
            else:
                text = "to use custom HTTP client configuration please provide the 'api_server' URL explicitly"
                yield Problem((), text, "Add `api_server`.")
        yield from self._selector_problems()

    def _selector_problems(self) -> Iterable[Problem]:
        seen: set[Role] = set()
        for index, selector in enumerate(self.selectors):
            if selector.role in seen:
                yield Problem(("selectors", index, "role"), f"duplicated selector role: {selector.role}", "Join them.")
            seen.add(selector.role)
            allowed = _SELECTABLE[self.role]
            if selector.role not in allowed:
                text = f"{self.role} role supports only {', '.join(allowed)} selectors"
                yield Problem(("selectors", index, "role"), text)

    def _client_changed(self) -> bool:
        return any(getattr(self, field.name) != field.default for field in fields(HttpClient))
