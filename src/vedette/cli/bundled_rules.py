"""The guide to the bundled rules, `docs/guide/bundled-rules.md`, made from the rule files themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from vedette.content import bundled_rules
from vedette.model.durations import format_duration
from vedette.rules import AlertingRule, RecordingRule, parse_rules

_INTRODUCTION: Final = """\
# Bundled rules

<!-- Made from the rule files by `python -m vedette.cli.bundled_rules`; do not edit. -->

Vedette brings rules for what most web applications stand on. Each alert has a severity, a service, a summary and a
description, a page that says what to do, and unit tests. Rules whose metrics are not there stay silent, so all files
can be used at once.

## Use them
Copy them beside your configuration, all or some:

```sh
mkdir -p rules && cp "$(python -m vedette.content)"/*.yml rules/
```

```yaml
rule_files: [rules/*.yml]
```

Prometheus reads the same files. Without a copy, `rule_files` may name the folder that `python -m vedette.content`
prints; the rules then change with Vedette.

## What an alert carries
* `severity`: `info` (good to know), `warning` (in working hours) or `critical` (now). `emergency` is left to you: no
  bundled rule uses it.
* `service`: the label of that name of the series, or else its job; so routes can group by it. An alert of one name and
  service that is both critical and warning is meant to be inhibited:

  ```yaml
  inhibit_rules:
    - source_matchers: [severity="critical"]
      target_matchers: [severity=~"warning|info"]
      equal: [alertname, service]
  ```
* `runbook_url`: `/runbooks/` and the alert's name, below the external URL of what evaluates the rule; `dashboard_url`
  likewise. Under Prometheus set `--web.external-url` to Vedette's address, or put it into the files in place of
  `{{ $externalURL }}`.

Of one cause only the gravest alert is left: hosts, databases and proxies that are down have alerts of their own and are
no targets of `TargetDown`; single endpoints are silent while their whole service fails.

## Change a threshold
The head of each file lists its thresholds. Change your copy at the rule, then check it:

    vedette check rules rules/application.yml

An alert that you do not want is deleted from the copy, or silenced for a while by `alertname="..."`. To keep a copy in
step with later versions, keep your changes as a patch.

Names that other rule files use: `FastAPIHighErrorRate` is `HighErrorRate` here, `FastAPIHighResponseTime` is
`HighLatencyP95` or `SlowEndpoint`.

"""

_ALERTS_HEAD: Final = "| alert | severity | for | says |\n| --- | --- | --- | --- |"
_SERVICE: Final = re.compile(r"\{\{ or (?:\$labels\.\w+ )*?\$labels\.(\w+)[^}]*\}\}")
_LABEL: Final = re.compile(r"\{\{ \$labels\.(\w+) \}\}")
_OTHER: Final = re.compile(r"\{\{ [^}]*\$value[^}]*\}\}")


def guide() -> str:
    """The page, as Markdown."""
    return _INTRODUCTION + "\n".join(line for path in bundled_rules() for line in _describe(path)).rstrip() + "\n"


def _describe(path: Path) -> Iterator[str]:
    text = path.read_text("utf-8")
    rules = [rule for group in parse_rules(text, path.name).groups for rule in group.rules]
    alerts = [rule for rule in rules if isinstance(rule, AlertingRule)]
    records = [rule.name for rule in rules if isinstance(rule, RecordingRule)]
    yield f"## {path.name}"
    yield ""
    yield "```text"
    yield from _head(text)
    yield "```"
    yield ""
    yield _ALERTS_HEAD
    for rule in alerts:
        severity = dict(rule.labels)["severity"]
        yield f"| `{rule.name}` | {severity} | {format_duration(rule.hold_ms)} | {_says(rule)} |"
    yield ""
    if records:
        yield "Recorded:"
        yield from (f"* `{name}`" for name in records)
        yield ""


def _head(text: str) -> Iterator[str]:
    """The comment at the top of a file."""
    for line in text.splitlines():
        if not line.startswith("#"):
            return
        yield line.removeprefix("#").removeprefix(" ")


def _says(rule: AlertingRule) -> str:
    """Its summary, with names in place of what differs."""
    summary = dict(rule.annotations)["summary"]
    named = _LABEL.sub(r"*\1*", _SERVICE.sub(r"*\1*", summary))
    return _OTHER.sub("*value*", named).replace("|", "\\|")


if __name__ == "__main__":
    import sys

    sys.stdout.write(guide())
