"""Other objects that a group takes labels from, noted down: when one of them changes, so does the group."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from vedette.collect.discovery.groups import TargetGroup
from vedette.collect.discovery.kubernetes.objects import NAMESPACES, NODES, PODS, SERVICES, Anything, Resource

_Found = TypeVar("_Found", bound=Anything)

Use = tuple[str, str]
"""A resource's name and an object's key."""


class Lookup:
    """The objects of all resources, for making one group.

    Attributes:
        uses: what was looked for, found or not.
    """

    def __init__(self, find: Callable[[Resource, str], Anything | None], *, nodes: bool, namespaces: bool) -> None:
        """`nodes` and `namespaces` say whether their metadata is wanted."""
        self.uses: set[Use] = set()
        self._find = find
        self._nodes = nodes
        self._namespaces = namespaces

    def pod(self, key: str) -> Anything | None:
        """A pod."""
        return self._look(PODS, key)

    def service(self, key: str) -> Anything | None:
        """A service."""
        return self._look(SERVICES, key)

    def node(self, name: str | None) -> Anything | None:
        """A node, where the metadata of nodes is wanted."""
        return self._look(NODES, name) if self._nodes and name else None

    def namespace(self, name: str) -> Anything | None:
        """A namespace, where the metadata of namespaces is wanted."""
        return self._look(NAMESPACES, name) if self._namespaces and name else None

    def _look(self, resource: Resource, key: str) -> Anything | None:
        self.uses.add((resource.name, key))
        return self._find(resource, key)


BuildGroup = Callable[[_Found, Lookup], TargetGroup]
