"""What the numbers of an expression mean, as far as its metrics' names say, and how people read them.

Prometheus' naming rule is that a metric's name ends in its unit (`_bytes`, `_seconds`, `_ratio`). The unit is
followed through the expression: the rate of bytes is bytes per second, bytes by bytes are a ratio. Where it is not
sure there is none, and numbers are shown plainly.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vedette.lang.promql import ast
    from vedette.lang.promql.ast import Expr


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit.

    Attributes:
        base: `bytes`, `seconds`, `ratio`, `celsius` or `time` (seconds since the epoch); "" for a count.
        per_s: how many times it is by the second: 1 for a rate.
    """

    base: str = ""
    per_s: int = 0


COUNT: Final = Unit()
RATIO: Final = Unit("ratio")
SECONDS: Final = Unit("seconds")
TIME: Final = Unit("time")

_NAME = re.compile(r"_(?P<base>bytes|seconds|ratio|celsius)(?:_total|_sum|_max|_min|_avg)?")
_MOMENT = re.compile(r"(?:_created|_(?:time|timestamp|boot_time|start_time|mtime)_seconds)")
_RATES: Final = frozenset({"rate", "irate", "deriv"})
_SAME: Final = frozenset(
    {
        "increase", "delta", "idelta", "avg_over_time", "min_over_time", "max_over_time", "sum_over_time",
        "last_over_time", "first_over_time", "quantile_over_time", "stddev_over_time", "mad_over_time", "abs", "ceil",
        "floor", "round", "clamp", "clamp_min", "clamp_max", "sort", "sort_desc", "sort_by_label",
        "sort_by_label_desc", "scalar", "label_replace", "label_join", "predict_linear", "double_exponential_smoothing",
    }
)  # fmt: skip
_SECOND_ARGUMENT: Final = frozenset({"quantile_over_time", "histogram_quantile"})
_SAME_AGGREGATIONS: Final = frozenset(
    {"sum", "avg", "min", "max", "topk", "bottomk", "quantile", "stddev", "limitk", "limit_ratio"}
)
_SET_OPERATORS: Final = frozenset({"and", "unless"})


def unit_of(expression: str) -> Unit | None:
    """The unit of an expression's value; None where it is not sure, or the expression does not parse."""
    from vedette.lang.promql import parse  # noqa: PLC0415 - the grammar, for those who look at numbers only
    from vedette.model.errors import QueryError  # noqa: PLC0415 - likewise

    try:
        return _unit(parse(expression))
    except QueryError:
        return None


def _unit(expr: Expr) -> Unit | None:  # noqa: PLR0911 - one line for each kind of node
    from vedette.lang.promql import ast  # noqa: PLC0415 - as above

    match expr:
        case ast.VectorSelector():
            return unit_of_name(_metric_name(expr))
        case ast.MatrixSelector(selector=selector):
            return _unit(selector)
        case ast.Paren(expr=inner) | ast.Unary(expr=inner) | ast.Subquery(expr=inner):
            return _unit(inner)
        case ast.Aggregate(op=op, expr=inner):
            return _unit(inner) if op.value in _SAME_AGGREGATIONS else COUNT
        case ast.Call():
            return _unit_of_call(expr)
        case ast.Binary():
            return _unit_of_binary(expr)
        case _:
            return None


def _metric_name(selector: ast.VectorSelector) -> str:
    named = (m.value for m in selector.matchers if m.name == "__name__" and m.op.value == "=")
    return selector.name or next(named, "")


def unit_of_name(name: str) -> Unit | None:
    """The unit that a metric's name ends in: a count without one, None where there is no name."""
    if not name:
        return None
    if _MOMENT.search(name) and name.endswith(("_seconds", "_created")):
        return TIME
    found = _NAME.search(name)
    return Unit(found["base"]) if found is not None and found.end() == len(name) else COUNT


def _unit_of_call(call: ast.Call) -> Unit | None:
    name = call.function
    if name in ("time", "timestamp"):
        return TIME
    if name == "histogram_quantile" or name in ("histogram_avg", "histogram_sum"):
        return _bucket_unit(call.args[-1])
    inner = call.args[1 if name in _SECOND_ARGUMENT and len(call.args) > 1 else 0] if call.args else None
    if inner is None:
        return None
    if name in _RATES:
        unit = _unit(inner)
        return None if unit is None else Unit(unit.base, unit.per_s + 1)
    if name in _SAME:
        return _unit(inner)
    return COUNT if name.endswith("_over_time") or name in ("changes", "resets", "absent") else None


def _bucket_unit(expr: Expr) -> Unit | None:
    """The unit of what a histogram observes: its name's without `_bucket`."""
    from vedette.lang.promql import selectors  # noqa: PLC0415 - as above

    names = {_metric_name(one) for one in selectors(expr)}
    return unit_of_name(names.pop().removesuffix("_bucket")) if len(names) == 1 else None


def _unit_of_binary(expr: ast.Binary) -> Unit | None:  # noqa: PLR0911 - one line for each kind of operator
    left, right = _unit(expr.left), _unit(expr.right)
    operator = expr.op.value
    if expr.op.is_comparison:
        return COUNT if expr.return_bool else left or right
    if operator in _SET_OPERATORS:
        return left
    if left is None or right is None:
        return None
    if operator in ("+", "-", "or"):
        if (left, right) == (TIME, TIME) and operator == "-":
            return SECONDS
        if left == TIME and right == SECONDS:
            return TIME
        return left if left == right else None
    if operator == "/":
        if left == right and left != COUNT:
            return RATIO
        if right.base == "":
            return Unit(left.base, left.per_s - right.per_s)
    return None


@dataclass(frozen=True, slots=True)
class Scale:
    """How the numbers of one axis or column are written: all in the same multiple of their unit.

    Attributes:
        factor: what a number is divided by.
        suffix: what follows it.
        decimals: behind the point.
    """

    factor: float = 1.0
    suffix: str = ""
    decimals: int = 0

    def show(self, value: float) -> str:
        """A number with its unit."""
        if not math.isfinite(value):
            return _special(value)
        if abs(value / self.factor) >= _UNREADABLE:
            return f"{value / self.factor:.4g}{self.suffix}"
        number = f"{value / self.factor:,.{self.decimals}f}"
        # Minus nothing is nothing.
        return (number.removeprefix("-") if float(number.replace(",", "")) == 0 else number) + self.suffix


_UNREADABLE: Final = 1e7
"""From here on a number is written with an exponent."""

_SI: Final = ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"))
_BINARY: Final = (
    (1024.0**5, " PiB"), (1024.0**4, " TiB"), (1024.0**3, " GiB"), (1024.0**2, " MiB"), (1024.0, " KiB"), (1.0, " B"),
)  # fmt: skip
_DURATIONS: Final = (
    (86_400.0, " d"), (3600.0, " h"), (60.0, " min"), (1.0, " s"), (1e-3, " ms"), (1e-6, " µs"), (1e-9, " ns"),
)  # fmt: skip


def scale_for(unit: Unit | None, largest: float, step: float) -> Scale:
    """The scale for numbers up to `largest` that differ by `step`.

    Args:
        unit: of the numbers.
        largest: the greatest of them, whatever its sign.
        step: the least difference that must be seen; 0 where there is none.
    """
    factor, suffix = _multiple(unit, abs(largest))
    if not step:
        return Scale(factor, suffix, _decimals(abs(largest) / factor / 1000))
    decimals = _decimals(step / factor)
    # A step of 0.25 needs two decimals, although it is seen with one.
    exact = abs(round(step / factor, decimals) - step / factor) < step / factor / 100
    return Scale(factor, suffix, decimals if exact else decimals + 1)


def show_value(unit: Unit | None, value: float) -> str:
    """One number by itself, with three or four digits that count."""
    if not math.isfinite(value):
        return _special(value)
    factor, suffix = _multiple(unit, abs(value))
    shown = abs(value) / factor
    if shown == 0:
        return f"0{suffix}"
    if not suffix and shown < 0.001:
        return f"{value:.3g}"
    if shown >= _UNREADABLE:
        return f"{value / factor:.4g}{suffix}"
    digits = 3 if suffix else 4
    number = f"{value / factor:,.{max(0, digits - 1 - math.floor(math.log10(shown)))}f}"
    return (number.rstrip("0").rstrip(".") if "." in number else number) + suffix


def _multiple(unit: Unit | None, largest: float) -> tuple[float, str]:
    match unit:
        case Unit(base="bytes", per_s=0 | 1 as rate):
            factor, suffix = _fitting(_BINARY, largest)
            return factor, suffix + "/s" * rate
        case Unit(base="seconds", per_s=0):
            # Up to two minutes seconds are read more easily than fractions of minutes.
            return _fitting(_DURATIONS if largest >= 120 else _DURATIONS[3:], largest) if largest else (1.0, " s")
        case Unit(base="ratio", per_s=0):
            return 0.01, " %"
        case Unit(base="celsius", per_s=0):
            return 1.0, " °C"
        case Unit(base="", per_s=1):
            factor, suffix = _fitting(_SI, largest) if largest >= 100_000 else (1.0, " ")
            return factor, f"{suffix}/s"
        case _:
            # What is small is written out: with a prefix it would be read as milli-what.
            return (1.0, "") if largest < 100_000 else _fitting(_SI, largest)


def _fitting(multiples: tuple[tuple[float, str], ...], largest: float) -> tuple[float, str]:
    return next((one for one in multiples if largest >= one[0]), multiples[-1])


def _decimals(step: float) -> int:
    if step <= 0 or not math.isfinite(step):
        return 0
    return min(12, max(0, -math.floor(math.log10(step) + 1e-9)))


def _special(value: float) -> str:
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
