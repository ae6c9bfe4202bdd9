"""Measure the time from the commit of a completed call to the request of its text message, at a steady rate.

Usage: UNITE_PERF_MYSQL_URL=… UNITE_PERF_REDIS_URL=… UNITE_PERF_MONGODB_URL=… UNITE_PERF_AWS_URL=…
       python -m perf.text_latency [SECONDS] [PER_SECOND]

Calls are completed in this process, and a worker in another process delivers their events. The stand-in for Twilio
records when each request came in. All processes run on one machine, so that they share one clock.
"""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from perf import messages, mysql_setup, results
from perf.service import percentile
from unite_core import CallOutcome, CompletedCall, Completion
from unite_core.notifications.model import ACTIVITY, TEXTS, TOPIC

THREADS = 8
SETTLE_TIMEOUT = 60.0


def main() -> None:
    """Measure and record."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    per_second = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    count = seconds * per_second
    with (
        tempfile.TemporaryDirectory() as folder,
        mysql_setup.database(os.environ["UNITE_PERF_MYSQL_URL"], "unite_perf_latency") as url,
        messages.twilio() as twilio,
    ):
        redis = os.environ.get("UNITE_PERF_REDIS_URL")
        further = {"UNITE_REDIS_URL": redis, "UNITE_JWT_KEYS": f"perf:{'k' * 32}"} if redis else {}
        variables = mysql_setup.environment(Path(folder), url, **messages.settings(twilio), **further)
        with mysql_setup.started_unite(variables) as started, ThreadPoolExecutor(THREADS) as threads:
            manager, agent = mysql_setup.create_team(started)
            tasks = mysql_setup.create_call_tasks(started, manager, agent, count)
            for destination in (TOPIC, TEXTS, ACTIVITY):  # the events of creating the tasks are not measured
                started.unite.notifications.relay(destination)
            committed: dict[UUID, float] = {}

            def complete(task_id: UUID) -> None:
                completion = Completion(outcome=CallOutcome.VOICEMAIL, duration_seconds=0)
                started.unite.calls.complete(agent, CompletedCall(task_id=task_id, completion=completion))
                committed[task_id] = time.time()

            with (Path(folder) / "worker.log").open("wb") as log:
                worker = subprocess.Popen(
                    [sys.executable, "-m", "entrypoints", "work"], env=os.environ | variables, stdout=log, stderr=log
                )
                try:
                    time.sleep(5)
                    begin = time.perf_counter()
                    for number, task_id in enumerate(tasks):
                        time.sleep(max(0.0, begin + number / per_second - time.perf_counter()))
                        threads.submit(complete, task_id)
                    waits = _waits(twilio, committed, count)
                finally:
                    worker.terminate()
                    worker.wait(30)
    results.record(
        "text_latency",
        "UNITE_PERF_MYSQL_URL=… UNITE_PERF_REDIS_URL=… UNITE_PERF_MONGODB_URL=… UNITE_PERF_AWS_URL=… "
        "python -m perf.text_latency",
        {
            "completions": count,
            "per second": per_second,
            "woken by": "RQ" if redis else "the database and a FIFO",
            "commit to SMS request, median ms": percentile(waits, 0.5),
            "commit to SMS request, p99 ms": percentile(waits, 0.99),
            "longest ms": percentile(waits, 1.0),
        },
    )


def _waits(twilio: str, committed: dict[UUID, float], count: int) -> list[float]:
    """Wait until all messages were requested; return the seconds from commit to request for each task."""
    until = time.monotonic() + SETTLE_TIMEOUT
    while True:
        requested = messages.requested(twilio)
        known = [requested[str(it)] - at for it, at in committed.items() if str(it) in requested]
        if len(known) == count:
            return known
        if time.monotonic() > until:
            sys.exit(f"{len(known)} of {count} texts were requested.")
        time.sleep(0.5)


if __name__ == "__main__":
    main()
