"""Every measurement, one after the other: `make perf`. It takes about a quarter of an hour."""

from perf import answers_during_import, import_rate, page_latency

for measurement in (import_rate, answers_during_import, page_latency):
    measurement.main()
