"""The role's objects as groups, and with them what else their labels come from.

Each resource and namespace is kept by a reflector. A group is made again when its own object changes, or
one that it looked at. Nothing is published before all lists have been read once, and afterwards changes
are gathered for a moment: a rollout changes hundreds of objects.

Written against the HTTP API and not with kubernetes-asyncio, whose generated client takes 48 MB of disk,
63 MB of memory and 0.3 s of start-up for the two requests that are needed here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from vedette.collect.discovery.groups import Publish, TargetGroup
from vedette.collect.discovery.health import Health
from vedette.collect.discovery.kubernetes.connection import SERVICE_ACCOUNT, Connection, connection_of
from vedette.collect.discovery.kubernetes.endpoint_slices import endpoint_slice_group
from vedette.collect.discovery.kubernetes.endpoints import endpoints_group
from vedette.collect.discovery.kubernetes.ingresses import ingress_group
from vedette.collect.discovery.kubernetes.lookup import BuildGroup, Lookup, Use
from vedette.collect.discovery.kubernetes.nodes import node_group
from vedette.collect.discovery.kubernetes.objects import (
    ENDPOINT_SLICES,
    ENDPOINTS,
    INGRESSES,
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    Anything,
    Resource,
)
from vedette.collect.discovery.kubernetes.pods import pod_group
from vedette.collect.discovery.kubernetes.reflector import ApiServer, Reflector
from vedette.collect.discovery.kubernetes.services import service_group
from vedette.collect.discovery.refresh import Pause, backoff_s
from vedette.collect.http_client import Fetcher, check_options
from vedette.config.discovery import KubernetesDiscovery, Role
from vedette.model.errors import VedetteError

_GATHER_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _RolePlan:
    """How a role's targets are made.

    Attributes:
        prefix: the beginning of its groups' sources.
        primary: each of its objects becomes a group.
        build: makes the group.
        others: resources that it takes labels from.
        attaches_nodes: whether the metadata of nodes can be attached.
    """

    prefix: str
    primary: Resource
    build: BuildGroup[Any]
    others: tuple[Resource, ...] = ()
    attaches_nodes: bool = False


ROLES: Final[Mapping[Role, _RolePlan]] = {
    Role.POD: _RolePlan("pod", PODS, pod_group, attaches_nodes=True),
    Role.SERVICE: _RolePlan("svc", SERVICES, service_group),
    Role.ENDPOINTS: _RolePlan("endpoints", ENDPOINTS, endpoints_group, (SERVICES, PODS), attaches_nodes=True),
    Role.ENDPOINTSLICE: _RolePlan(
        "endpointslice", ENDPOINT_SLICES, endpoint_slice_group, (SERVICES, PODS), attaches_nodes=True
    ),
    Role.NODE: _RolePlan("node", NODES, node_group),
    Role.INGRESS: _RolePlan("ingress", INGRESSES, ingress_group),
}


class KubernetesDiscoverer:
    """Watches one role."""

    def __init__(
        self,
        settings: KubernetesDiscovery,
        health: Health,
        *,
        environment: Mapping[str, str] | None = None,
        service_account: str = SERVICE_ACCOUNT,
        pause: Pause = asyncio.sleep,
        gather_s: float = _GATHER_S,
    ) -> None:
        check_options(settings)
        self._settings = settings
        self._plan = ROLES[settings.role]
        self._health = health
        self._environment = os.environ if environment is None else environment
        self._service_account = service_account
        self._pause = pause
        self._gather_s = gather_s
        self._nodes = self._plan.attaches_nodes and settings.attach_metadata.node
        self._namespaces = settings.attach_metadata.namespace and self._plan.primary.namespaced
        self._reflectors: dict[str, list[Reflector]] = {}
        self._uses: dict[str, set[Use]] = {}
        self._used_by: dict[Use, set[str]] = defaultdict(set)
        self._dirty: set[str] = set()
        self._ready = asyncio.Event()
        self._published: set[str] = set()

    async def run(self, publish: Publish) -> None:
        """Publish the role's groups, until cancelled."""
        connection = await self._connect()
        async with Fetcher(connection.client, environment=self._environment) as fetcher, asyncio.TaskGroup() as tasks:
            self._reflectors = self._make_reflectors(connection, fetcher)
            for reflectors in self._reflectors.values():
                for reflector in reflectors:
                    tasks.create_task(reflector.run())
            while True:
                await self._ready.wait()
                self._ready.clear()
                publish(self._make_groups())
                await asyncio.sleep(self._gather_s)

    async def _connect(self) -> Connection:
        failures = 0
        while True:
            try:
                connection = await asyncio.to_thread(
                    connection_of, self._settings, self._environment, service_account=self._service_account
                )
                check_options(connection.client, environment=self._environment)
            except (VedetteError, ValueError) as exc:
                pause_s = backoff_s(failures, _LONGEST_PAUSE_S)
                failures += 1
                self._health.note({"the API server": exc}, retry_in_s=round(pause_s, 1))
                await self._pause(pause_s)
            else:
                self._health.note({})
                return connection

    def _make_reflectors(self, connection: Connection, fetcher: Fetcher) -> dict[str, list[Reflector]]:
        server = ApiServer(connection.url, fetcher, self._health, self._pause)
        wanted = [self._plan.primary, *self._plan.others]
        wanted += [NODES] if self._nodes else []
        wanted += [NAMESPACES] if self._namespaces else []
        return {
            resource.name: [
                Reflector(
                    resource,
                    namespace,
                    server,
                    selectors=self._selectors(resource),
                    changed=lambda key, resource=resource: self._changed(resource, key),
                    synced=self._check_ready,
                )
                for namespace in (self._namespace_names(connection) if resource.namespaced else ("",))
            ]
            for resource in wanted
        }

    def _namespace_names(self, connection: Connection) -> tuple[str, ...]:
        names = dict.fromkeys(self._settings.namespaces.names)
        if self._settings.namespaces.own_namespace and connection.own_namespace:
            names[connection.own_namespace] = None
        return tuple(names) or ("",)

    def _selectors(self, resource: Resource) -> dict[str, str]:
        for selector in self._settings.selectors:
            if ROLES[selector.role].primary is resource:
                pairs = {"labelSelector": selector.label, "fieldSelector": selector.field}
                return {name: value for name, value in pairs.items() if value}
        return {}

    def _changed(self, resource: Resource, key: str) -> None:
        if resource is self._plan.primary:
            self._dirty.add(key)
        self._dirty |= self._used_by.get((resource.name, key), set())
        if self._dirty:
            self._check_ready()

    def _check_ready(self) -> None:
        if all(one.is_synced for reflectors in self._reflectors.values() for one in reflectors):
            self._ready.set()

    def _make_groups(self) -> list[TargetGroup]:
        """The groups of all objects that changed; without targets for those that are gone."""
        groups: list[TargetGroup] = []
        for key in sorted(self._dirty):
            found = self._find(self._plan.primary, key)
            lookup = Lookup(self._find, nodes=self._nodes, namespaces=self._namespaces)
            gone = TargetGroup(f"{self._plan.prefix}/{key}")
            group = gone if found is None else self._plan.build(found, lookup)
            self._note_uses(key, lookup.uses)
            groups.append(group)
        self._dirty.clear()
        return groups

    def _note_uses(self, key: str, uses: set[Use]) -> None:
        for use in self._uses.pop(key, set()) - uses:
            self._used_by[use].discard(key)
            if not self._used_by[use]:
                with contextlib.suppress(KeyError):
                    del self._used_by[use]
        if uses:
            self._uses[key] = uses
            for use in uses:
                self._used_by[use].add(key)

    def _find(self, resource: Resource, key: str) -> Anything | None:
        for reflector in self._reflectors.get(resource.name, ()):
            found = reflector.objects.get(key)
            if found is not None:
                return found
        return None
