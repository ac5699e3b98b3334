"""The parts of Kubernetes' objects that targets are made of.

Source: https://kubernetes.io/docs/reference/kubernetes-api/ (core/v1, discovery.k8s.io/v1,
networking.k8s.io/v1). Everything may be absent, and lists and maps may be null.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, TypeVar

from pydantic import BeforeValidator, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

_ACRONYMS: Final = {
    "podIp": "podIP",
    "hostIp": "hostIP",
    "containerId": "containerID",
    "clusterIp": "clusterIP",
    "loadBalancerIp": "loadBalancerIP",
    "providerId": "providerID",
}


def _json_name(name: str) -> str:
    camel = to_camel(name)
    return _ACRONYMS.get(camel, camel)


def _or(default: Any) -> BeforeValidator:
    return BeforeValidator(lambda found: default if found is None else found)


_Part = TypeVar("_Part")
_Text = Annotated[str, _or("")]
_Texts = Annotated[dict[str, str], _or({})]
_List = Annotated[tuple[_Part, ...], _or(())]


@dataclass(frozen=True, slots=True)
class _Object:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="ignore", alias_generator=_json_name)


@dataclass(frozen=True, slots=True)
class Owner(_Object):
    """An object that another belongs to."""

    kind: _Text = ""
    name: _Text = ""
    controller: bool | None = None


@dataclass(frozen=True, slots=True)
class Meta(_Object):
    """What all objects have."""

    name: _Text = ""
    namespace: _Text = ""
    uid: _Text = ""
    resource_version: _Text = ""
    labels: _Texts = field(default_factory=dict[str, str])
    annotations: _Texts = field(default_factory=dict[str, str])
    owner_references: _List[Owner] = ()


@dataclass(frozen=True, slots=True)
class Anything(_Object):
    """An object of any kind: a namespace, or one whose kind does not matter."""

    metadata: Annotated[Meta, _or({})] = Meta()

    @property
    def key(self) -> str:
        """`namespace/name`, or the name of what belongs to no namespace."""
        meta = self.metadata
        return f"{meta.namespace}/{meta.name}" if meta.namespace else meta.name


@dataclass(frozen=True, slots=True)
class ContainerPort(_Object):
    """A port that a container says it listens on."""

    name: _Text = ""
    container_port: int = 0
    protocol: _Text = ""


@dataclass(frozen=True, slots=True)
class Container(_Object):
    """A container of a pod."""

    name: _Text = ""
    image: _Text = ""
    ports: _List[ContainerPort] = ()


@dataclass(frozen=True, slots=True)
class ContainerStatus(_Object):
    """How a container is doing."""

    name: _Text = ""
    container_id: _Text = ""


@dataclass(frozen=True, slots=True)
class Condition(_Object):
    """One of an object's conditions."""

    type: _Text = ""
    status: _Text = ""


@dataclass(frozen=True, slots=True)
class PodSpec(_Object):
    """What a pod is to be."""

    node_name: _Text = ""
    containers: _List[Container] = ()
    init_containers: _List[Container] = ()


@dataclass(frozen=True, slots=True)
class PodStatus(_Object):
    """What a pod is."""

    pod_ip: _Text = ""
    host_ip: _Text = ""
    phase: _Text = ""
    conditions: _List[Condition] = ()
    container_statuses: _List[ContainerStatus] = ()
    init_container_statuses: _List[ContainerStatus] = ()


@dataclass(frozen=True, slots=True)
class Pod(Anything):
    """A pod."""

    spec: Annotated[PodSpec, _or({})] = PodSpec()
    status: Annotated[PodStatus, _or({})] = PodStatus()


@dataclass(frozen=True, slots=True)
class ServicePort(_Object):
    """A port of a service."""

    name: _Text = ""
    port: int = 0
    protocol: _Text = ""


@dataclass(frozen=True, slots=True)
class ServiceSpec(_Object):
    """What a service is to be."""

    type: _Text = ""
    cluster_ip: _Text = ""
    external_name: _Text = ""
    load_balancer_ip: _Text = ""
    ports: _List[ServicePort] = ()


@dataclass(frozen=True, slots=True)
class Service(Anything):
    """A service."""

    spec: Annotated[ServiceSpec, _or({})] = ServiceSpec()


@dataclass(frozen=True, slots=True)
class Reference(_Object):
    """A reference to another object."""

    kind: _Text = ""
    namespace: _Text = ""
    name: _Text = ""


@dataclass(frozen=True, slots=True)
class EndpointAddress(_Object):
    """An address of an endpoints object."""

    ip: _Text = ""
    hostname: _Text = ""
    node_name: str | None = None
    target_ref: Reference | None = None


@dataclass(frozen=True, slots=True)
class EndpointPort(_Object):
    """A port of an endpoints object or a slice."""

    name: str | None = None
    port: int | None = None
    protocol: str | None = None
    app_protocol: str | None = None


@dataclass(frozen=True, slots=True)
class EndpointSubset(_Object):
    """Addresses that share ports."""

    addresses: _List[EndpointAddress] = ()
    not_ready_addresses: _List[EndpointAddress] = ()
    ports: _List[EndpointPort] = ()


@dataclass(frozen=True, slots=True)
class Endpoints(Anything):
    """The addresses behind a service."""

    subsets: _List[EndpointSubset] = ()


@dataclass(frozen=True, slots=True)
class EndpointConditions(_Object):
    """What an endpoint can do now."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


@dataclass(frozen=True, slots=True)
class Endpoint(_Object):
    """An endpoint of a slice."""

    addresses: _List[str] = ()
    conditions: Annotated[EndpointConditions, _or({})] = EndpointConditions()
    hostname: str | None = None
    node_name: str | None = None
    zone: str | None = None
    target_ref: Reference | None = None
    deprecated_topology: _Texts = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class EndpointSlice(Anything):
    """A part of the addresses behind a service."""

    address_type: _Text = ""
    endpoints: _List[Endpoint] = ()
    ports: _List[EndpointPort] = ()


@dataclass(frozen=True, slots=True)
class NodeAddress(_Object):
    """An address of a node."""

    type: _Text = ""
    address: _Text = ""


@dataclass(frozen=True, slots=True)
class DaemonEndpoint(_Object):
    """Where a daemon listens."""

    # So written in the API, as the one exception among its fields.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="ignore", alias_generator=str.capitalize)

    port: int = 0


@dataclass(frozen=True, slots=True)
class DaemonEndpoints(_Object):
    """Where a node's daemons listen."""

    kubelet_endpoint: Annotated[DaemonEndpoint, _or({})] = DaemonEndpoint()


@dataclass(frozen=True, slots=True)
class NodeSpec(_Object):
    """What a node is to be."""

    provider_id: _Text = ""


@dataclass(frozen=True, slots=True)
class NodeStatus(_Object):
    """What a node is."""

    addresses: _List[NodeAddress] = ()
    daemon_endpoints: Annotated[DaemonEndpoints, _or({})] = DaemonEndpoints()


@dataclass(frozen=True, slots=True)
class Node(Anything):
    """A node."""

    spec: Annotated[NodeSpec, _or({})] = NodeSpec()
    status: Annotated[NodeStatus, _or({})] = NodeStatus()


@dataclass(frozen=True, slots=True)
class IngressPath(_Object):
    """A path of an ingress."""

    path: _Text = ""


@dataclass(frozen=True, slots=True)
class IngressHttp(_Object):
    """The paths of a host."""

    paths: _List[IngressPath] = ()


@dataclass(frozen=True, slots=True)
class IngressRule(_Object):
    """A host of an ingress."""

    host: _Text = ""
    http: IngressHttp | None = None


@dataclass(frozen=True, slots=True)
class IngressTls(_Object):
    """Hosts that have a certificate."""

    hosts: _List[str] = ()


@dataclass(frozen=True, slots=True)
class IngressSpec(_Object):
    """What an ingress is to be."""

    ingress_class_name: str | None = None
    tls: _List[IngressTls] = ()
    rules: _List[IngressRule] = ()


@dataclass(frozen=True, slots=True)
class Ingress(Anything):
    """An ingress."""

    spec: Annotated[IngressSpec, _or({})] = IngressSpec()


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object that the API server lists.

    Attributes:
        name: in the plural, as in URLs.
        api: the URL's beginning.
        shape: reads one object.
        namespaced: whether its objects belong to namespaces.
    """

    name: str
    api: str
    shape: TypeAdapter[Anything]
    namespaced: bool = True

    def path(self, namespace: str) -> str:
        """Where the objects of a namespace are listed; "" for all."""
        inside = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{self.api}{inside}/{self.name}"


def _resource(name: str, shape: type[Anything], *, api: str = "/api/v1", namespaced: bool = True) -> Resource:
    return Resource(name, api, TypeAdapter(shape), namespaced)


PODS: Final = _resource("pods", Pod)
SERVICES: Final = _resource("services", Service)
ENDPOINTS: Final = _resource("endpoints", Endpoints)
ENDPOINT_SLICES: Final = _resource("endpointslices", EndpointSlice, api="/apis/discovery.k8s.io/v1")
INGRESSES: Final = _resource("ingresses", Ingress, api="/apis/networking.k8s.io/v1")
NODES: Final = _resource("nodes", Node, namespaced=False)
NAMESPACES: Final = _resource("namespaces", Anything, namespaced=False)
