"""Vedette beside Prometheus and VictoriaMetrics, on the same data and in the same minutes.

`python -m benchmarks [NAME ...] [--quick]` (or `make bench ARGS="..."`) starts the servers on loopback ports, loads
them with the same samples, measures them by turns, prints tables and writes them to `benchmarks/results/`.
"""
