"""A configuration as Alertmanager's own programs can read it: for the API's status, which amtool parses.

Vedette's own options and kinds are left out, since amtool refuses what it does not know. Secrets are not shown; where
older versions insist on a URL, one stands that leads nowhere.
"""

from __future__ import annotations

import dataclasses
import io
from typing import Any, Final

from ruamel.yaml import YAML

from vedette.alerting.receivers.registry import entry_key
from vedette.alerting.settings.file import AlertingFile
from vedette.config.render import as_mapping
from vedette.config.secrets import REDACTED

_NOWHERE: Final = "https://secret.invalid/"
_OWN_KINDS: Final = ("statuspage", "apprise")
_OWN_GLOBALS: Final = ("flapping", "statuspage_api_url", "statuspage_api_key", "statuspage_api_key_file")


def alertmanager_yaml(file: AlertingFile) -> str:
    """What a file says, in YAML that Alertmanager takes."""
    shown = as_mapping(dataclasses.replace(file, tracing=None))
    for name in _OWN_GLOBALS:
        shown.get("global", {}).pop(name, None)
    _strip_route(shown.get("route", {}))
    for receiver in shown.get("receivers", ()):
        receiver.pop("rate_guard", None)
        for kind in _OWN_KINDS:
            receiver.pop(entry_key(kind), None)
        for key, entries in receiver.items():
            if key.endswith("_configs"):
                for entry in entries:
                    entry.pop("digest", None)
                    if entry.get("url") == REDACTED:
                        entry["url"] = _NOWHERE
    out = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.allow_unicode = True
    writer.width = 4096
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.dump(shown, out)
    return out.getvalue()


def _strip_route(route: dict[str, Any]) -> None:
    route.pop("hold_flapping", None)
    for child in route.get("routes", ()):
        _strip_route(child)
