"""Hardware sensors (temperatures, fans, voltages, power): /sys/class/hwmon."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from vedette.collect.host.kernel_files import list_names, try_text
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

_LABELS: Final = ("chip", "sensor")
CHIP_NAMES: Final = Family(
    "node_hwmon_chip_names",
    MetricType.GAUGE,
    "Annotation metric for human-readable chip names",
    ("chip", "chip_name"),
)
SENSOR_LABEL: Final = Family(
    "node_hwmon_sensor_label",
    MetricType.GAUGE,
    "Label for given chip and sensor",
    (*_LABELS, "label"),
)

SENSOR_TYPES: Final = frozenset(
    {
        "vrm", "beep_enable", "update_interval", "in", "cpu", "fan", "pwm", "temp", "curr", "power", "energy",
        "humidity", "intrusion",
    }
)  # fmt: skip
_FILE: Final = re.compile(r"([^0-9]+)([0-9]*)(?:_(.+))?")
_UNFIT: Final = re.compile(r"[^a-z0-9:_]")
_MILLI: Final = 0.001
_MICRO: Final = 1e-6


class HwmonCollector:
    """Reads the attributes of each chip; which files those are is looked up once per chip."""

    def __init__(self, settings: HostSettings) -> None:
        self._root = settings.sys("class", "hwmon")
        self._families: dict[str, Family] = {}

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        for name in list_names(self._root):
            directory = f"{self._root}/{name}"
            chip = _chip(directory)
            title = _clean(try_text(f"{directory}/name"))
            if title:
                rows.put(CHIP_NAMES, 1, (chip, title))
            for (kind, number), properties in _sensors(directory).items():
                self._put_sensor(rows, (chip, f"{kind}{number}"), kind, properties)

    def _put_sensor(self, rows: RowTable, labels: tuple[str, str], kind: str, properties: Mapping[str, str]) -> None:
        label = properties.get("label", "")
        if label:
            rows.put(SENSOR_LABEL, 1, (*labels, label))
        for element, text in properties.items():
            try:
                value = float(text)
            except ValueError:
                continue
            name, factor, kind_of_metric, sentence = _describe(kind, element, properties)
            family = self._families.get(name)
            if family is None:
                family = self._families[name] = Family(name, kind_of_metric, sentence, _LABELS)
            rows.put(family, value * factor, labels)


def _describe(kind: str, element: str, properties: Mapping[str, str]) -> tuple[str, float, MetricType, str]:
    """A property's metric: name, factor to base units, type and help, as node_exporter has them."""
    match kind:
        case "beep_enable":
            return "node_hwmon_beep_enabled", 1, MetricType.GAUGE, "Hardware beep enabled"
        case "vrm":
            return "node_hwmon_voltage_regulator_version", 1, MetricType.GAUGE, "Hardware voltage regulator"
        case "update_interval":
            return "node_hwmon_update_interval_seconds", _MILLI, MetricType.GAUGE, "Hardware monitor update interval"
        case _:
            pass
    name = f"node_hwmon_{kind}"
    if element == "input":
        name += "_input" if "" in properties else ""
    elif element:
        name += f"_{_clean(element)}"
    if element in ("fault", "alarm"):
        return name, 1, MetricType.GAUGE, f"Hardware sensor {element} status ({kind})"
    if element == "beep":
        return f"{name}_enabled", 1, MetricType.GAUGE, "Hardware monitor sensor has beeping enabled"
    suffix, factor, sentence = _unit(kind, element)
    metric_type = MetricType.COUNTER if kind == "energy" else MetricType.GAUGE
    return name + suffix, factor, metric_type, sentence


def _unit(kind: str, element: str) -> tuple[str, float, str]:
    """The name's ending, the factor to that unit, and the help."""
    found = ("", 1.0, f"Hardware monitor {kind} element {element}")
    match kind:
        case "in" | "cpu":
            found = ("_volts", _MILLI, f"Hardware monitor for voltage ({element})")
        case "temp" if element != "type":
            found = ("_celsius", _MILLI, f"Hardware monitor for temperature ({element})")
        case "curr":
            found = ("_amps", _MILLI, f"Hardware monitor for current ({element})")
        case "energy":
            found = ("_joule_total", _MICRO, f"Hardware monitor for joules used so far ({element})")
        case "power" if element == "accuracy":
            found = ("", _MICRO, "Hardware monitor power meter accuracy, as a ratio")
        case "power" if element in ("average_interval", "average_interval_min", "average_interval_max"):
            found = ("_seconds", _MILLI, f"Hardware monitor power usage update interval ({element})")
        case "power":
            found = ("_watt", _MICRO, f"Hardware monitor for power usage in watts ({element})")
        case "humidity":
            sentence = "as a ratio (multiply with 100.0 to get the humidity as a percentage)"
            found = ("", _MICRO, f"Hardware monitor for humidity, {sentence} ({element})")
        case "fan" if element in ("input", "min", "max", "target"):
            found = ("_rpm", 1.0, f"Hardware monitor for fan revolutions per minute ({element})")
        case _:
            pass
    return found


def _sensors(directory: str) -> dict[tuple[str, str], dict[str, str]]:
    """By sensor type and number: the properties and their text. Old drivers keep them one level down."""
    sensors: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for place in (directory, f"{directory}/device"):
        try:
            names = os.listdir(place)  # noqa: PTH208 - names are wanted, not Path objects
        except OSError:
            continue
        for name in sorted(names):
            kind, number, element = _split(name)
            if kind in SENSOR_TYPES:
                text = try_text(f"{place}/{name}")
                if text:
                    sensors[kind, number or "0"].setdefault(element, text)
    return sensors


def _split(name: str) -> tuple[str, str, str]:
    """`temp1_crit_alarm` is the property `crit_alarm` of sensor 1 of type `temp`."""
    if name in SENSOR_TYPES:
        return name, "", ""
    match = _FILE.fullmatch(name)
    return (match[1], match[2], match[3] or "") if match else ("", "", "")


def _chip(directory: str) -> str:
    """A name that does not depend on the order in which drivers were loaded: the device's place."""
    device = os.path.realpath(f"{directory}/device")
    if os.path.exists(device):  # noqa: PTH110 - as everywhere in this package
        parent, name = os.path.split(device)
        bus = _clean(os.path.basename(parent))  # noqa: PTH119 - as above
        name = _clean(name)
        if name:
            return f"{bus}_{name}" if bus else name
    title = _clean(try_text(f"{directory}/name"))
    return title or _clean(os.path.basename(os.path.realpath(directory)))  # noqa: PTH119 - as above


def _clean(text: str) -> str:
    return _UNFIT.sub("_", text.lower()).strip("_")
