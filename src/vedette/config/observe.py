"""What Vedette watches without being asked, and what it says: `host`, `self`, `logging`."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator

from vedette.config.fields import FileGlob, FileName, Flag, Interval, choice
from vedette.config.relabel import compile_regex
from vedette.config.settings import Problem, Settings, wrong
from vedette.model.durations import Duration


class LogLevel(StrEnum):
    """What is worth a log line."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How log lines look."""

    AUTO = "auto"
    """For people on a terminal, JSON elsewhere."""
    CONSOLE = "console"
    JSON = "json"


def _pattern(found: str) -> str:
    try:
        compile_regex(found)
    except ValueError as exc:
        raise wrong(f'"{found}" is not a regular expression: {exc}', "The syntax is RE2's.") from exc
    return found


Pattern = Annotated[str, AfterValidator(_pattern)]

_MOUNTS: Final = r"^/(dev|proc|run|sys|mnt|media|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)"
_FS_TYPES: Final = (
    r"^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs"
    r"|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$"
)
_DISKS: Final = r"^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host(Settings):
    """Metrics of this host under node_exporter's names. Patterns are RE2 and match anywhere unless anchored."""

    enabled: Flag = True
    """Collect them."""
    interval: Interval = Duration(15_000)
    """How often."""
    job_name: str = "node"
    """Label `job` of the series."""
    instance: str = ""
    """Label `instance` of the series; the name of the host where it is not set."""
    disabled_collectors: tuple[str, ...] = ()
    """Parts to leave out, by node_exporter's names: `[hwmon, netstat]`."""
    mount_points_exclude: Pattern = _MOUNTS
    """Mount points to leave out."""
    fs_types_exclude: Pattern = _FS_TYPES
    """Types of file systems to leave out."""
    mount_timeout: Interval = Duration(2_000)
    """How long a file system may take to answer before it is reported as broken."""
    disk_exclude: Pattern = _DISKS
    """Disk devices to leave out."""
    netdev_exclude: Pattern = ""
    """Network devices to leave out; empty: none."""
    textfile_directories: tuple[FileGlob, ...] = ("/var/lib/prometheus/node-exporter",)
    """Directories with `*.prom` files to add, as for node_exporter's textfile collector."""
    procfs: FileName = "/proc"
    """Where the host's /proc is, seen from a container."""
    sysfs: FileName = "/sys"
    """Where the host's /sys is."""
    rootfs: FileName = "/"
    """Where the host's file systems are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary(Settings):
    """A sample that is sent through the whole path and has to come back."""

    enabled: Flag = True
    """Send it."""
    interval: Interval = Duration(60_000)
    """How often."""
    timeout: Interval = Duration(30_000)
    """When it counts as lost (`vedette_canary_lost_total`)."""

    def problems(self) -> Iterable[Problem]:
        """One at a time."""
        if self.timeout > self.interval:
            text = f"the canary's timeout ({self.timeout}) is greater than its interval ({self.interval})"
            yield Problem(("timeout",), text, "Lower `timeout` or raise `interval`.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfMonitoring(Settings):
    """Vedette's metrics of itself, stored like those of any target."""

    enabled: Flag = True
    """Store them; `/metrics` shows them in any case."""
    interval: Interval = Duration(15_000)
    """How often."""
    job_name: str = "vedette"
    """Label `job` of the series."""
    canary: Canary = Canary()
    """The canary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logging(Settings):
    """Vedette's log, on standard error."""

    level: Annotated[LogLevel, choice(LogLevel, fold=True)] = LogLevel.INFO
    """What is worth a line."""
    format: Annotated[LogFormat, choice(LogFormat, fold=True)] = LogFormat.AUTO
    """How a line looks."""
