"""Typical expressions of dashboards and alerts, and in what the others' answers differ by design.

Prometheus extrapolates a counter's increase to the ends of its window; VictoriaMetrics takes the difference from the
last sample before the window. On a steady counter both are near; where the increase is a small whole number they are
not. The `tolerance` of an expression says what is allowed. Prometheus 2 counts what lies on the left edge of a window,
which Prometheus 3 and Vedette do not; the data have no samples there, but a subquery makes some.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchmarks.servers import VEDETTE


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression.

    Attributes:
        text: PromQL.
        all_series: whether it aggregates over (nearly) all series.
        tolerance: how far VictoriaMetrics' values may be from Vedette's: median of the relative differences. None
            where its meaning differs too much for a comparison; `remark` says why.
        remark: in what it differs.
        exact: how far Prometheus' values may be from Vedette's; None where more than one answer is right.
    """

    text: str
    all_series: bool = False
    tolerance: float | None = 1e-9
    remark: str = ""
    exact: float | None = 1e-9


_RATE: Final = 0.05
_COUNTERS: Final = '{__name__=~".+_total|.+_bucket|.+_count|.+_sum"}'
_EXTRAPOLATES = "the increase is not extrapolated to the window's ends"

RANGE: Final = (
    # Over all series
    Expression(f"sum by (job) (rate({_COUNTERS}[5m]))", all_series=True, tolerance=_RATE, remark=_EXTRAPOLATES),
    Expression(f"sum(rate({_COUNTERS}[1m]))", all_series=True, tolerance=_RATE, remark=_EXTRAPOLATES),
    Expression('sum by (job) (avg_over_time({job=~".+"}[5m]))', all_series=True, tolerance=0.01),
    Expression('max by (instance) (max_over_time({job=~".+"}[5m]))', all_series=True, tolerance=0.01),
    Expression('count by (__name__) ({job=~".+"})', all_series=True),
    Expression('sum by (job, env) ({job=~".+"})', all_series=True),
    # Requests, errors, durations
    Expression("sum by (job) (rate(http_requests_total[5m]))", tolerance=_RATE, remark=_EXTRAPOLATES),
    Expression("sum by (job, handler) (rate(http_requests_total[5m]))", tolerance=_RATE, remark=_EXTRAPOLATES),
    Expression(
        'sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (job) (rate(http_requests_total[5m]))',
        tolerance=_RATE,
        remark=_EXTRAPOLATES,
    ),
    Expression('sum(increase(http_requests_total{env="production"}[1h]))', tolerance=_RATE, remark=_EXTRAPOLATES),
    Expression("sum by (code) (irate(http_requests_total[2m]))", tolerance=_RATE),
    Expression(
        "topk(5, sum by (instance) (rate(http_requests_total[5m])))",
        tolerance=None,
        remark="which of two equal ones is among the first five",
        exact=None,
    ),
    Expression(
        "histogram_quantile(0.95, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m])))",
        tolerance=_RATE,
        remark=_EXTRAPOLATES,
    ),
    Expression(
        "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[10m])))",
        tolerance=_RATE,
        remark=_EXTRAPOLATES,
    ),
    Expression(
        "sum by (job) (rate(http_request_duration_seconds_sum[5m]))"
        " / sum by (job) (rate(http_request_duration_seconds_count[5m]))",
        tolerance=_RATE,
        remark=_EXTRAPOLATES,
    ),
    # Hosts
    Expression(
        '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))', tolerance=_RATE, remark=_EXTRAPOLATES
    ),
    Expression(
        'sum by (instance) (rate(node_cpu_seconds_total{mode!="idle"}[5m]))', tolerance=_RATE, remark=_EXTRAPOLATES
    ),
    Expression('node_filesystem_avail_bytes{mountpoint="/"} / 1024 / 1024', tolerance=1e-6),
    Expression("predict_linear(node_filesystem_avail_bytes[1h], 4 * 3600)", tolerance=0.01),
    Expression('max by (job) (process_memory_bytes{kind="resident"})'),
    Expression('avg_over_time(load_average{job="api"}[10m])', tolerance=0.01),
    Expression("quantile by (job) (0.9, load_average)"),
    Expression("stddev by (job) (queue_length)"),
    Expression("max_over_time(disk_temperature_celsius[30m])", tolerance=0.01),
    # Queues and states
    Expression("sum by (job, queue) (queue_length)"),
    Expression("count by (job) (service_up == 1)"),
    Expression("sum by (job) (changes(queue_length[15m]))", tolerance=0.1, remark="counts from the sample before"),
    Expression(
        "sum by (job) (rate(http_requests_total[5m]))"
        " / on (job) group_left sum by (job) (rate(http_requests_total[5m] offset 1h))",
        tolerance=_RATE,
        remark=_EXTRAPOLATES,
    ),
    Expression(
        "max_over_time(sum by (job) (rate(http_requests_total[5m]))[30m:1m])",
        tolerance=0.1,
        remark="the step at the window's left edge",
        exact=0.1,
    ),
    # Large answers
    Expression('http_requests_total{job="api"}'),
    Expression('rate(http_requests_total{job="api"}[5m])', tolerance=_RATE, remark=_EXTRAPOLATES),
    Expression("queue_length"),
    # One series
    Expression('rate(node_cpu_seconds_total{instance="10.0.0.17:9100", mode="user"}[5m])', tolerance=0.2),
    Expression('service_up{instance="10.0.0.17:9100"}'),
)
"""Asked as a range."""

INSTANT: Final = (
    Expression('service_up{instance="10.0.0.17:9100"}'),
    Expression('rate(node_cpu_seconds_total{instance="10.0.0.17:9100", mode="user"}[5m])', tolerance=0.2),
    Expression("service_up == 0"),
    Expression(
        'sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (job) (rate(http_requests_total[5m]))'
        " > 0.0001",
        tolerance=None,
        remark="a comparison that falls either way",
    ),
    Expression(
        "histogram_quantile(0.95, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m]))) > 0.001",
        tolerance=None,
        remark="a comparison that falls either way",
    ),
    Expression("predict_linear(node_filesystem_avail_bytes[6h], 24 * 3600) < 0"),
    Expression("avg by (instance) (load_average) > 100"),
    Expression("sum(increase(http_requests_total[6h]))", tolerance=_RATE, remark=_EXTRAPOLATES),
    Expression(f"sum by (job) (rate({_COUNTERS}[5m]))", all_series=True, tolerance=_RATE, remark=_EXTRAPOLATES),
    Expression('count({job=~".+"})', all_series=True),
    Expression("http_requests_total"),
)
"""Asked for one time."""

GROWTH: Final = (
    Expression("sum by (job) (rate(requests_total[5m]))", all_series=True, tolerance=_RATE, remark=_EXTRAPOLATES),
    Expression("max by (instance) (requests_total)", all_series=True),
    Expression('rate(requests_total{instance="10.0.0.12:9100"}[5m])', tolerance=_RATE, remark=_EXTRAPOLATES),
)
"""Asked of ever more series and hours."""

REFERENCE: Final = VEDETTE
"""Whose answers the others' are compared with."""
