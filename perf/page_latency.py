"""Measure the latency of page 1 and of page 2,000 of 100,000 leads, in turns.

Usage: python -m perf.page_latency [LEADS]
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from perf import lead_files, results
from perf.service import percentile, service

PAGE = 2000
LIMIT = 50
TURNS = 300


def main() -> None:
    """Measure and record."""
    leads = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rows = int(leads * 1.12)
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as client:
        file = Path(folder) / "leads.csv"
        lead_files.write(rows, file)
        import_id = client.upload(file)
        while client.call("GET", f"/v1/lead-imports/{import_id}")["status"] in ("queued", "running"):
            time.sleep(0.5)
        created = client.call("GET", f"/v1/lead-imports/{import_id}")["counts"]["created"]
        path = first = f"/v1/leads?limit={LIMIT}"
        for _ in range(PAGE - 1):
            path = f"{first}&cursor={client.call('GET', path)['next_cursor']}"
        near: list[float] = []
        far: list[float] = []
        for _ in range(TURNS):
            near.append(client.timed(first))
            far.append(client.timed(path))
    results.record(
        "page_latency",
        "python -m perf.page_latency",
        {
            "leads": created,
            "page 1, median ms": percentile(near, 0.5),
            "page 1, p99 ms": percentile(near, 0.99),
            f"page {PAGE}, median ms": percentile(far, 0.5),
            f"page {PAGE}, p99 ms": percentile(far, 0.99),
            "ratio of medians": round(statistics.median(far) / statistics.median(near), 3),
        },
    )


if __name__ == "__main__":
    main()
