"""The settings: read from YAML, validated with places, frozen."""

from vedette.config.alerts import AlertHeartbeat, AlertmanagerText, Alerts, AlertWebhook, WebhookFormat, WebhookMapping
from vedette.config.changes import JobChanges, changed_jobs, changed_sections, fingerprint, targets_changed
from vedette.config.check import check
from vedette.config.config import Config, ConfigWarning, Loaded
from vedette.config.elsewhere import Alerting, Alertmanager, Otlp, Runtime, Tracing
from vedette.config.http_client import (
    Authorization,
    BasicAuth,
    HeaderValues,
    HttpClient,
    OAuth2,
    ProxyConfig,
    TlsConfig,
    TlsVersion,
)
from vedette.config.limits import Limits, Query
from vedette.config.load import default_config, load, load_text
from vedette.config.observe import Canary, Host, LogFormat, Logging, LogLevel, SelfMonitoring
from vedette.config.relabel import Action, NameScheme, RelabelRule
from vedette.config.remote import MetadataConfig, QueueConfig, RemoteRead, RemoteWrite, WriteMessage
from vedette.config.render import render
from vedette.config.rules import Rules
from vedette.config.scrape import EscapingScheme, GlobalConfig, Scheme, ScrapeConfig, ScrapeProtocol
from vedette.config.secrets import Secret, mask_url, read_secret
from vedette.config.server import Auth, Http, LoginRequired, ServerTls, is_loopback, split_address
from vedette.config.storage import ClickHouse, EngineKind, Retention, Storage

__all__ = [
    "Action",
    "AlertHeartbeat",
    "AlertWebhook",
    "Alerting",
    "Alertmanager",
    "AlertmanagerText",
    "Alerts",
    "Auth",
    "Authorization",
    "BasicAuth",
    "Canary",
    "ClickHouse",
    "Config",
    "ConfigWarning",
    "EngineKind",
    "EscapingScheme",
    "GlobalConfig",
    "HeaderValues",
    "Host",
    "Http",
    "HttpClient",
    "JobChanges",
    "Limits",
    "Loaded",
    "LogFormat",
    "LogLevel",
    "Logging",
    "LoginRequired",
    "MetadataConfig",
    "NameScheme",
    "OAuth2",
    "Otlp",
    "ProxyConfig",
    "Query",
    "QueueConfig",
    "RelabelRule",
    "RemoteRead",
    "RemoteWrite",
    "Retention",
    "Rules",
    "Runtime",
    "Scheme",
    "ScrapeConfig",
    "ScrapeProtocol",
    "Secret",
    "SelfMonitoring",
    "ServerTls",
    "Storage",
    "TlsConfig",
    "TlsVersion",
    "Tracing",
    "WebhookFormat",
    "WebhookMapping",
    "WriteMessage",
    "changed_jobs",
    "changed_sections",
    "check",
    "default_config",
    "fingerprint",
    "is_loopback",
    "load",
    "load_text",
    "mask_url",
    "read_secret",
    "render",
    "split_address",
    "targets_changed",
]
