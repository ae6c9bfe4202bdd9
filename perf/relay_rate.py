"""Measure how many events per second reach three destinations: MongoDB, SNS on moto, and a fake Twilio.

Usage: UNITE_PERF_MYSQL_URL=… UNITE_PERF_MONGODB_URL=… UNITE_PERF_AWS_URL=http://127.0.0.1:5000
       python -m perf.relay_rate [EVENTS]

Calls are completed first, without a relay. Then each destination has one relay, all in this process, as in a worker.
The measurement includes the responses of SNS and Twilio, which are delivered to the activity log as events.
"""

import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from perf import messages, mysql_setup, results
from unite_core import CallOutcome, CompletedCall, Completion
from unite_core.notifications.model import ACTIVITY, TEXTS, TOPIC


def main() -> None:
    """Measure and record."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    with (
        tempfile.TemporaryDirectory() as folder,
        mysql_setup.database(os.environ["UNITE_PERF_MYSQL_URL"], "unite_perf_relay") as url,
        messages.twilio() as twilio,
        mysql_setup.started_unite(mysql_setup.environment(Path(folder), url, **messages.settings(twilio))) as started,
        ThreadPoolExecutor(3) as threads,
    ):
        manager, agent = mysql_setup.create_team(started)
        tasks = mysql_setup.create_call_tasks(started, manager, agent, count)
        relay = started.unite.notifications.relay
        for destination in (TOPIC, TEXTS, ACTIVITY):  # the events of creating the tasks are not measured
            relay(destination)
        already = messages.sent(twilio)
        for task_id in tasks:
            completion = Completion(outcome=CallOutcome.VOICEMAIL, duration_seconds=0)
            started.unite.calls.complete(agent, CompletedCall(task_id=task_id, completion=completion))

        def until_empty(destination: str) -> tuple[float, int]:
            since, delivered = time.perf_counter(), 0
            while more := relay(destination).delivered:
                delivered += more
            return time.perf_counter() - since, delivered

        since = time.perf_counter()
        relayed = dict(zip((TOPIC, TEXTS, ACTIVITY), threads.map(until_empty, (TOPIC, TEXTS, ACTIVITY)), strict=True))
        rest = until_empty(ACTIVITY)  # the last responses
        seconds = time.perf_counter() - since
        if messages.sent(twilio) - already != count:
            sys.exit(f"{messages.sent(twilio) - already} texts were sent about {count} calls.")
    results.record(
        "relay_rate",
        "UNITE_PERF_MYSQL_URL=… UNITE_PERF_MONGODB_URL=… UNITE_PERF_AWS_URL=… python -m perf.relay_rate",
        {
            "completed calls, each told to three destinations": count,
            "events per second that reached all three": round(count / seconds, 1),
            "topic alone, while the others ran, events per second": round(relayed[TOPIC][1] / relayed[TOPIC][0], 1),
            "texts alone, while the others ran, events per second": round(relayed[TEXTS][1] / relayed[TEXTS][0], 1),
            "activity log, answers of the others included, events": relayed[ACTIVITY][1] + rest[1],
        },
    )


if __name__ == "__main__":
    main()
