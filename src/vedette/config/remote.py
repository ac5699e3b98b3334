"""Other stores: `remote_write` and `remote_read`, Prometheus' own sections."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from vedette.config.fields import (
    Count,
    DurationOption,
    FileName,
    Flag,
    Integer,
    Interval,
    Labels,
    SecretOption,
    Secrets,
    Url,
    choice,
)
from vedette.config.http_client import HttpClient, header_problems
from vedette.config.relabel import RelabelRule
from vedette.config.secrets import Secret
from vedette.config.settings import Problem, Settings
from vedette.model.durations import Duration


class WriteMessage(StrEnum):
    """The message of remote write, by its protobuf name."""

    V1 = "prometheus.WriteRequest"
    V2 = "io.prometheus.write.v2.Request"


class AzureCloud(StrEnum):
    """Clouds of Azure."""

    PUBLIC = "AzurePublic"
    CHINA = "AzureChina"
    GOVERNMENT = "AzureGovernment"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigV4(Settings):
    """Requests signed for AWS."""

    region: str = ""
    """Region."""
    access_key: str = ""
    """Name of the key."""
    secret_key: SecretOption = Secret()
    """The key."""
    profile: str = ""
    """Profile of the AWS configuration."""
    role_arn: str = ""
    """Role to assume."""
    external_id: str = ""
    """External id for assuming the role."""
    use_fips_sts_endpoint: Flag = False
    """Use the FIPS endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedIdentity(Settings):
    """An identity that Azure manages."""

    client_id: str = ""
    """Client id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadIdentity(Settings):
    """An identity of a Kubernetes workload."""

    client_id: str = ""
    """Client id."""
    tenant_id: str = ""
    """Tenant id."""
    token_file_path: FileName = "/var/run/secrets/azure/tokens/azure-identity-token"  # noqa: S105 - a path
    """File with the token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureOAuth(Settings):
    """A registered application."""

    client_id: str = ""
    """Client id."""
    client_secret: SecretOption = Secret()
    """Client secret."""
    tenant_id: str = ""
    """Tenant id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureSdk(Settings):
    """Credentials found by Azure's SDK."""

    tenant_id: str = ""
    """Tenant id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureAd(Settings):
    """Requests authorised by Azure."""

    cloud: Annotated[AzureCloud, choice(AzureCloud)] = AzureCloud.PUBLIC
    """Which cloud."""
    managed_identity: ManagedIdentity | None = None
    """An identity that Azure manages."""
    workload_identity: WorkloadIdentity | None = None
    """An identity of a Kubernetes workload."""
    oauth: AzureOAuth | None = None
    """A registered application."""
    sdk: AzureSdk | None = None
    """Credentials found by Azure's SDK."""
    scope: str = ""
    """Scope of the token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleIam(Settings):
    """Requests authorised by Google."""

    credentials_file: FileName = ""
    """File with the service account's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueConfig(Settings):
    """The queue in front of another store, and how it is sent."""

    capacity: Integer = 10_000
    """Samples that wait in memory for each shard."""
    max_shards: Integer = 50
    """Most requests at a time."""
    min_shards: Integer = 1
    """Fewest requests at a time."""
    max_samples_per_send: Integer = 2000
    """Most samples of a request."""
    batch_send_deadline: DurationOption = Duration(5_000)
    """How long a sample waits for company."""
    min_backoff: DurationOption = Duration(30)
    """Pause after a first failure; doubled at each further one."""
    max_backoff: DurationOption = Duration(5_000)
    """Longest pause."""
    retry_on_http_429: Flag = False
    """Send again what was refused with 429."""
    sample_age_limit: DurationOption = Duration(0)
    """Samples older than this are not sent; 0: any age."""

    def problems(self) -> Iterable[Problem]:
        """Positive numbers."""
        for name in ("capacity", "max_shards", "min_shards", "max_samples_per_send"):
            if getattr(self, name) <= 0:
                yield Problem((name,), f"remote write queue {name} must be positive", "Use 1 or more.")
        if 0 < self.max_shards < self.min_shards:
            yield Problem(("min_shards",), "remote write queue min_shards is greater than max_shards")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataConfig(Settings):
    """Sending types, units and help texts with remote write 1.0."""

    send: Flag = True
    """Send them."""
    send_interval: Interval = Duration(60_000)
    """How often."""
    max_samples_per_send: Count = 2000
    """Most of them in a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteWrite(HttpClient):
    """A store that gets a copy of every sample."""

    url: Url = ""
    """Where to send. Required."""
    remote_timeout: Interval = Duration(30_000)
    """How long a request may take."""
    headers: Secrets = ()
    """Further headers."""
    write_relabel_configs: tuple[RelabelRule, ...] = ()
    """Which samples to send, and under which labels."""
    name: str = ""
    """Name in metrics and logs, unique."""
    send_exemplars: Flag = False
    """Send exemplars."""
    send_native_histograms: Flag = False
    """Send native histograms."""
    round_robin_dns: Flag = False
    """Spread connections over the addresses of the host."""
    protobuf_message: Annotated[WriteMessage, choice(WriteMessage)] = WriteMessage.V1
    """Remote write 1.0 or 2.0."""
    enable_http2: Flag = False
    """Offer HTTP/2."""
    queue_config: QueueConfig = QueueConfig()
    """The queue."""
    metadata_config: MetadataConfig = MetadataConfig()
    """Types, units and help texts."""
    sigv4: SigV4 | None = None
    """Requests signed for AWS."""
    azuread: AzureAd | None = None
    """Requests authorised by Azure."""
    google_iam: GoogleIam | None = None
    """Requests authorised by Google."""

    def problems(self) -> Iterable[Problem]:
        """A URL, one way to authenticate, headers that nobody else sets."""
        if not self.url:
            yield Problem(("url",), "url for remote_write is empty", "Add `url`.")
        yield from self.client_problems()
        yield from header_problems(self.headers)
        clouds = [name for name in ("sigv4", "azuread", "google_iam") if getattr(self, name) is not None]
        clients = [name for name in ("basic_auth", "authorization", "oauth2") if getattr(self, name) is not None]
        if clouds and len(clouds) + len(clients) > 1:
            text = (
                "at most one of basic_auth, authorization, oauth2, sigv4, azuread or google_iam must be configured; "
                f"found {', '.join(clients + clouds)}"
            )
            yield Problem((clouds[-1],), text, "Remove all but one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteRead(HttpClient):
    """A store that queries could read from."""

    url: Url = ""
    """Where to read. Required."""
    remote_timeout: Interval = Duration(60_000)
    """How long a request may take."""
    chunked_read_limit: Count = 50_000_000
    """Largest frame of an answer in bytes."""
    headers: Secrets = ()
    """Further headers."""
    read_recent: Flag = False
    """Read also what the local store has."""
    name: str = ""
    """Name in metrics and logs, unique."""
    required_matchers: Labels = ()
    """Labels that a selector has to name for this store to be asked."""
    filter_external_labels: Flag = True
    """Add the external labels to selectors."""

    def problems(self) -> Iterable[Problem]:
        """A URL, and headers that nobody else sets."""
        if not self.url:
            yield Problem(("url",), "url for remote_read is empty", "Add `url`.")
        yield from self.client_problems()
        yield from header_problems(self.headers)
