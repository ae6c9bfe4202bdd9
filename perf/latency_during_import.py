"""Measure the latency of `GET /v1/leads` during the import of a large file, compared with an idle service.

Usage: python -m perf.latency_during_import [ROWS]
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from perf import lead_files, results
from perf.service import KeepAliveClient, percentile, service

PATH = "/v1/leads?limit=50"
AT_REST = 500
PAUSE = 0.01


def main() -> None:
    """Measure and record."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as client:
        warm, large = Path(folder) / "warm.csv", Path(folder) / "large.csv"
        lead_files.write(2000, warm)
        lead_files.write(rows, large)
        _finish(client, client.upload(warm))
        at_rest = [_paced(client) for _ in range(AT_REST)]
        import_id = client.upload(large)
        during: list[float] = []
        while client.call("GET", f"/v1/lead-imports/{import_id}")["status"] in ("queued", "running"):
            during.extend(_paced(client) for _ in range(50))
        counts = client.call("GET", f"/v1/lead-imports/{import_id}")
    results.record(
        "latency_during_import",
        "python -m perf.latency_during_import",
        {
            "rows imported": counts["counts"]["rows"],
            "rows per second meanwhile": counts["progress"]["rows_per_second"],
            "at rest: requests": len(at_rest),
            "at rest: median ms": percentile(at_rest, 0.5),
            "at rest: p99 ms": percentile(at_rest, 0.99),
            "during: requests": len(during),
            "during: median ms": percentile(during, 0.5),
            "during: p99 ms": percentile(during, 0.99),
            "ratio of medians": round(statistics.median(during) / statistics.median(at_rest), 2),
        },
    )


def _paced(client: KeepAliveClient) -> float:
    time.sleep(PAUSE)
    return client.timed(PATH)


def _finish(client: KeepAliveClient, import_id: str) -> None:
    while client.call("GET", f"/v1/lead-imports/{import_id}")["status"] in ("queued", "running"):
        time.sleep(0.2)


if __name__ == "__main__":
    main()
