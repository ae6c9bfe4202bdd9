"""Run the three standard measurements one after the other (`make perf`); takes about a quarter of an hour."""

from perf import answers_during_import, import_rate, page_latency

for measurement in (import_rate, answers_during_import, page_latency):
    measurement.main()
