"""The functions of PromQL: what they take and give, and what to tell people about them.

Source: Prometheus' `promql/parser/functions.go` and its documentation of functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vedette.lang.promql.ast import ValueType


@dataclass(frozen=True, slots=True)
class Function:
    """A function's signature and its help.

    Attributes:
        arg_types: of the arguments; those beyond the last have the last one's type.
        variadic: 0 where all arguments are required; n where the last one is optional and may come up to n times;
            -1 where it may come any number of times or not at all.
        experimental: whether Prometheus wants it switched on; here it always works.
        signature: for people: names and, in brackets, what is optional.
        help: one sentence.
    """

    name: str
    arg_types: tuple[ValueType, ...]
    variadic: int
    return_type: ValueType
    experimental: bool
    signature: str
    help: str

    @property
    def min_args(self) -> int:
        """The fewest arguments that a call may have."""
        return len(self.arg_types) - (1 if self.variadic else 0)

    @property
    def max_args(self) -> int | None:
        """The most arguments that a call may have; None where there is no limit."""
        if self.variadic < 0:
            return None
        return self.min_args + self.variadic


_TYPES: Final = {
    "scalar": ValueType.SCALAR,
    "vector": ValueType.VECTOR,
    "matrix": ValueType.MATRIX,
    "string": ValueType.STRING,
}


def _function(
    name: str, args: str, about: str, *, returns: str = "vector", variadic: int = 0, new: bool = False
) -> Function:
    """One row of the table; `args` reads `name type, name type`."""
    pairs = [part.split() for part in args.split(",")] if args else []
    types = tuple(_TYPES[kind] for _, kind in pairs)
    shown = [f"{label} {kind}" for label, kind in pairs]
    if variadic:
        more = "" if variadic == 1 else ", ..."
        shown[-1] = f"[{shown[-1]}{more}]"
    return Function(
        name=name,
        arg_types=types,
        variadic=variadic,
        return_type=_TYPES[returns],
        experimental=new,
        signature=f"{name}({', '.join(shown)}) {returns}",
        help=about,
    )


def _of_vector(**about: str) -> tuple[Function, ...]:
    return tuple(_function(name, "v vector", text) for name, text in about.items())


def _of_range(*, new: bool = False, **about: str) -> tuple[Function, ...]:
    return tuple(_function(name, "v matrix", text, new=new) for name, text in about.items())


def _of_time(**about: str) -> tuple[Function, ...]:
    return tuple(_function(name, "v vector", f"{text}, in UTC.", variadic=1) for name, text in about.items())


_TABLE: Final[tuple[Function, ...]] = (
    *_of_vector(
        abs="The absolute value of every sample.",
        absent="1 if the vector has no elements, else nothing; for alerts on series that should be there.",
        acos="The arccosine of every sample, in radians.",
        acosh="The inverse hyperbolic cosine of every sample.",
        asin="The arcsine of every sample, in radians.",
        asinh="The inverse hyperbolic sine of every sample.",
        atan="The arctangent of every sample, in radians.",
        atanh="The inverse hyperbolic tangent of every sample.",
        ceil="Every sample rounded up to an integer.",
        cos="The cosine of every sample, in radians.",
        cosh="The hyperbolic cosine of every sample.",
        deg="Radians converted to degrees.",
        exp="The exponential of every sample.",
        floor="Every sample rounded down to an integer.",
        histogram_avg="The average of the observed values in every native histogram.",
        histogram_count="The number of observations in every native histogram.",
        histogram_stddev="The estimated standard deviation of observations in every native histogram.",
        histogram_stdvar="The estimated variance of observations in every native histogram.",
        histogram_sum="The sum of observations in every native histogram.",
        ln="The natural logarithm of every sample.",
        log10="The decimal logarithm of every sample.",
        log2="The binary logarithm of every sample.",
        rad="Degrees converted to radians.",
        sgn="The sign of every sample: 1, 0 or -1.",
        sin="The sine of every sample, in radians.",
        sinh="The hyperbolic sine of every sample.",
        sort="The elements in ascending order of value (instant queries).",
        sort_desc="The elements in descending order of value (instant queries).",
        sqrt="The square root of every sample.",
        tan="The tangent of every sample, in radians.",
        tanh="The hyperbolic tangent of every sample.",
        timestamp="The time of every sample, in seconds since the epoch.",
    ),
    *_of_range(
        absent_over_time="1 if the range has no samples at all, else nothing.",
        avg_over_time="The average of the samples in the window.",
        changes="How often the value changed within the window.",
        count_over_time="The number of samples in the window.",
        delta="The difference between the window's last and first value, extrapolated; for gauges.",
        deriv="The slope per second by linear regression; for gauges.",
        idelta="The difference between the last two samples; for gauges.",
        increase="How much a counter grew in the window, extrapolated to its edges.",
        irate="The rate per second between the last two samples; for counters.",
        last_over_time="The newest sample in the window.",
        max_over_time="The largest sample in the window.",
        min_over_time="The smallest sample in the window.",
        present_over_time="1 for every series with a sample in the window.",
        rate="The average rate per second in the window, extrapolated to its edges; for counters.",
        resets="How often a counter was reset within the window.",
        stddev_over_time="The population standard deviation of the samples in the window.",
        stdvar_over_time="The population variance of the samples in the window.",
        sum_over_time="The sum of the samples in the window.",
    ),
    *_of_range(
        new=True,
        first_over_time="The oldest sample in the window.",
        mad_over_time="The median absolute deviation of the samples in the window.",
        ts_of_first_over_time="The time of the oldest sample in the window.",
        ts_of_last_over_time="The time of the newest sample in the window.",
        ts_of_max_over_time="The time of the last sample with the window's largest value.",
        ts_of_min_over_time="The time of the last sample with the window's smallest value.",
    ),
    *_of_time(
        day_of_month="The day of the month (1 to 31) of times given in seconds",
        day_of_week="The day of the week (0, Sunday, to 6) of times given in seconds",
        day_of_year="The day of the year (1 to 366) of times given in seconds",
        days_in_month="The number of days (28 to 31) in the month of times given in seconds",
        hour="The hour (0 to 23) of times given in seconds",
        minute="The minute (0 to 59) of times given in seconds",
        month="The month (1 to 12) of times given in seconds",
        year="The year of times given in seconds",
    ),
    _function("clamp", "v vector, min scalar, max scalar", "Every sample, limited to the range from min to max."),
    _function("clamp_max", "v vector, max scalar", "Every sample, but no larger than max."),
    _function("clamp_min", "v vector, min scalar", "Every sample, but no smaller than min."),
    _function(
        "double_exponential_smoothing",
        "v matrix, smoothing scalar, trend scalar",
        "A smoothed value of the window; lower smoothing factors give older samples more weight.",
        new=True,
    ),
    _function("end", "", "The end of the query's time range, in seconds since the epoch.", returns="scalar", new=True),
    _function(
        "histogram_fraction",
        "lower scalar, upper scalar, b vector",
        "The estimated fraction of observations between two values.",
    ),
    _function("histogram_quantile", "q scalar, b vector", "The estimated q-quantile (0 to 1) of every histogram."),
    _function(
        "histogram_quantiles",
        "b vector, label string, q scalar, q scalar",
        "Several quantiles of every histogram at once, told apart by a label.",
        variadic=9,
        new=True,
    ),
    _function(
        "info",
        "v vector, selector vector",
        "The elements with labels added from info series such as target_info.",
        variadic=1,
        new=True,
    ),
    _function(
        "label_join",
        "v vector, dst string, separator string, src string",
        "The elements with label dst set to the values of the src labels, joined by the separator.",
        variadic=-1,
    ),
    _function(
        "label_replace",
        "v vector, dst string, replacement string, src string, regex string",
        "The elements with label dst set to the replacement where the regex matches label src.",
    ),
    _function("max_of", "a scalar, b scalar", "The larger of two scalars.", returns="scalar", new=True),
    _function("min_of", "a scalar, b scalar", "The smaller of two scalars.", returns="scalar", new=True),
    _function("pi", "", "The number pi.", returns="scalar"),
    _function(
        "predict_linear",
        "v matrix, t scalar",
        "The value expected t seconds from now, by linear regression; for gauges.",
    ),
    _function("quantile_over_time", "q scalar, v matrix", "The q-quantile (0 to 1) of the samples in the window."),
    _function("range", "", "The length of the query's time range, in seconds.", returns="scalar", new=True),
    _function(
        "round",
        "v vector, to_nearest scalar",
        "Every sample rounded to the nearest multiple of to_nearest (1 by default); ties go up.",
        variadic=1,
    ),
    _function(
        "scalar", "v vector", "The only element's value as a scalar; NaN unless there is exactly one.", returns="scalar"
    ),
    _function(
        "sort_by_label",
        "v vector, label string",
        "The elements in natural order of the labels' values (instant queries).",
        variadic=-1,
        new=True,
    ),
    _function(
        "sort_by_label_desc",
        "v vector, label string",
        "The elements in reverse natural order of the labels' values (instant queries).",
        variadic=-1,
        new=True,
    ),
    _function(
        "start", "", "The start of the query's time range, in seconds since the epoch.", returns="scalar", new=True
    ),
    _function(
        "start_timestamp", "v vector", "The start timestamp of every sample, in seconds since the epoch.", new=True
    ),
    _function("step", "", "The step of the query, in seconds; 0 for an instant query.", returns="scalar", new=True),
    _function("time", "", "The evaluation's time, in seconds since the epoch.", returns="scalar"),
    _function("vector", "s scalar", "A scalar as a vector with one element without labels."),
)

FUNCTIONS: Final[dict[str, Function]] = {function.name: function for function in sorted(_TABLE, key=lambda f: f.name)}
"""Every function by its name."""
