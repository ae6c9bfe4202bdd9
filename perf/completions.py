"""Measure completions of call tasks on MySQL, compared with a transaction of one UPDATE and one INSERT.

Usage: UNITE_PERF_MYSQL_URL=mysql://root:password@127.0.0.1:3306 python -m perf.completions [TASKS]

A completion includes the call ledger and the outbox. Both sides use the same number of threads on the same server, in
turns, so that disturbances affect both. The script creates a database of its own, and drops it.
"""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pymysql
from sqlalchemy import URL

from perf import mysql_setup, results
from unite_core import CallOutcome, CompletedCall, Completion

THREADS = 8
TURNS = 5

BARE_TABLES = (
    "CREATE TABLE bare_tasks (id BINARY(16) PRIMARY KEY, status VARCHAR(32) NOT NULL, version INT NOT NULL)",
    (
        "CREATE TABLE bare_log (id BINARY(16) PRIMARY KEY, task_id BINARY(16) NOT NULL, at DATETIME(6) NOT NULL, "
        "outcome VARCHAR(32) NOT NULL, duration INT NOT NULL, KEY (task_id))"
    ),
)


class Bare:
    """The minimum that a completion needs: one transaction that changes the task and inserts a row into a log."""

    def __init__(self, url: URL, count: int) -> None:
        self._url = url
        self._own = threading.local()
        self.ids = [uuid4() for _ in range(count)]
        connection = self._connection()
        with connection.cursor() as cursor:
            for table in BARE_TABLES:
                cursor.execute(table)
            cursor.executemany("INSERT INTO bare_tasks VALUES (%s, 'pending', 1)", [(it.bytes,) for it in self.ids])
        connection.commit()

    def complete(self, task_id: UUID) -> None:
        """Execute one UPDATE, one INSERT and one COMMIT."""
        connection = self._connection()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE bare_tasks SET status = 'completed', version = version + 1 WHERE id = %s", (task_id.bytes,)
            )
            cursor.execute(
                "INSERT INTO bare_log VALUES (%s, %s, UTC_TIMESTAMP(6), 'connected', 60)",
                (uuid4().bytes, task_id.bytes),
            )
        connection.commit()

    def _connection(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        if not hasattr(self._own, "connection"):
            url = self._url
            self._own.connection = pymysql.connect(
                host=url.host,
                port=url.port or 3306,
                user=url.username,
                password=url.password or "",
                database=url.database,
            )
        connection: pymysql.Connection[pymysql.cursors.Cursor] = self._own.connection
        return connection


def main() -> None:
    """Measure and record."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with (
        tempfile.TemporaryDirectory() as folder,
        mysql_setup.database(os.environ["UNITE_PERF_MYSQL_URL"], "unite_perf_completions") as url,
        mysql_setup.started_unite(mysql_setup.environment(Path(folder), url)) as started,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        manager, agent = mysql_setup.create_team(started)
        tasks = mysql_setup.create_call_tasks(started, manager, agent, count)
        bare = Bare(url, count)

        def complete(task_id: UUID) -> None:
            connected = Completion(outcome=CallOutcome.CONNECTED, duration_seconds=60)
            started.unite.calls.complete(agent, CompletedCall(task_id=task_id, completion=connected))

        unite_seconds = bare_seconds = 0.0
        for turn in range(TURNS):
            part = slice(turn * count // TURNS, (turn + 1) * count // TURNS)
            bare_seconds += _seconds(threads, bare.complete, bare.ids[part])
            unite_seconds += _seconds(threads, complete, tasks[part])
        verification = started.unite.calls.verify_ledger()
        if verification.broken or verification.entries != count:
            sys.exit(
                f"The ledger has {verification.entries} entries for {count} completions; broken: {verification.broken}"
            )
    results.record(
        "completions",
        "UNITE_PERF_MYSQL_URL=… python -m perf.completions",
        {
            "tasks": count,
            "threads": THREADS,
            "completions with ledger and outbox, per second": round(count / unite_seconds),
            "bare transactions of UPDATE and INSERT, per second": round(count / bare_seconds),
            "completions / bare transactions": round(bare_seconds / unite_seconds, 3),
        },
    )


def _seconds(threads: ThreadPoolExecutor, action: Callable[[UUID], None], ids: Sequence[UUID]) -> float:
    since = time.perf_counter()
    for _ in threads.map(action, ids):
        pass
    return time.perf_counter() - since


if __name__ == "__main__":
    main()
