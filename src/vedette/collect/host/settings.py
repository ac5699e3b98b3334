"""What the collectors of host metrics go by: the user's options, and what nobody has had to change yet.

In a container the host's file systems are mounted somewhere else: `procfs`, `sysfs` and `rootfs` say
where, as node_exporter's `--path.*` flags do. Fields and patterns default to node_exporter's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from vedette.config.observe import Host


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What collectors need to know.

    Attributes:
        options: the section `host` of the configuration.
        udev_data: where udev keeps what it knows of devices.
        netclass_exclude: network devices whose properties are not reported.
        netstat_fields: fields of /proc/net/{netstat,snmp,snmp6} to report.
        vmstat_fields: fields of /proc/vmstat to report.
        textfile_bytes_limit: the size up to which a `*.prom` file is read.
    """

    options: Host = field(default_factory=Host)
    udev_data: str = ""
    netclass_exclude: str = "^$"
    netstat_fields: str = (
        r"^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)"
        r"|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts)"
        r"|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)"
        r"|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$"
    )
    vmstat_fields: str = r"^(oom_kill|pgpg|pswp|pg.*fault).*"
    textfile_bytes_limit: int = 8 << 20

    def proc(self, *parts: str) -> str:
        """A path below the host's /proc."""
        return os.path.join(self.options.procfs, *parts)  # noqa: PTH118 - built on every round, pathlib is ten times dearer

    def sys(self, *parts: str) -> str:
        """A path below the host's /sys."""
        return os.path.join(self.options.sysfs, *parts)  # noqa: PTH118 - as above

    def root(self, path: str) -> str:
        """An absolute path of the host as this process sees it."""
        return self.options.rootfs.rstrip("/") + path
