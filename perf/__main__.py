"""Run the three standard measurements one after the other (`make perf`); takes about a quarter of an hour."""

from perf import import_rate, latency_during_import, page_latency

for measurement in (import_rate, latency_during_import, page_latency):
    measurement.main()
