"""Measure reports on MySQL, over a call ledger of 400 days and 200 agents.

Usage: UNITE_PERF_MYSQL_URL=mysql://root:password@127.0.0.1:3306 python -m perf.reports [ENTRIES] [--uncached-only]

The server has to allow `local_infile`. Generating the ledger takes minutes for each million entries, so that its
database, `unite_perf_reports`, is not dropped, and another run with the same number of ENTRIES uses it again. With
UNITE_PERF_REDIS_URL cached reports are measured too. A database with an older schema is migrated first. With
`--uncached-only` nothing else is measured than uncached reports on rollups, and recorded as `uncached_reports`.
"""

import os
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, make_url

from adapters.sql.engine import create_engine_for
from adapters.sql.migrate import upgrade
from perf import call_history, folding_cost, mysql_setup, results
from perf.call_history import DAYS
from perf.report_times import OF_ROLLUPS, ServerClock, all_reports, beside_plain_queries, from_cache

DATABASE = "unite_perf_reports"
SETTINGS = ("version", "innodb_flush_log_at_trx_commit", "sync_binlog", "log_bin", "innodb_buffer_pool_size")
TASKS_PER_TURN = 800
REPEATS = 40
FRIDAY = 4
_BEGAN = time.perf_counter()


def print_progress(text: str) -> None:
    """Print progress."""
    print(f"{time.perf_counter() - _BEGAN:6.0f} s  {text}", flush=True)


def main() -> None:
    """Measure and record."""
    uncached_only = "--uncached-only" in sys.argv
    numbers = [argument for argument in sys.argv[1:] if argument.isdigit()]
    entries = int(numbers[0]) if numbers else 10_000_000
    server = make_url(os.environ["UNITE_PERF_MYSQL_URL"]).set(drivername="mysql+pymysql")
    url = server.set(database=DATABASE)
    root = create_engine(server, isolation_level="AUTOCOMMIT")
    with tempfile.TemporaryDirectory() as folder, root.connect() as connection:
        figures: dict[str, Any] = {
            "server": {name: _variable(connection, name) for name in SETTINGS},
            "made": _history(connection, url, entries, Path(folder)),
        }
        variables = mysql_setup.environment(Path(folder), url)
        if uncached_only:
            with mysql_setup.started_unite(variables) as started:
                clock = ServerClock(connection)
                reports = all_reports(started, clock, _last_weekday(), print_progress, REPEATS, OF_ROLLUPS)
            command = "UNITE_PERF_MYSQL_URL=… python -m perf.reports --uncached-only"
            results.record("uncached_reports", command, {**figures, "uncached reports": reports})
            return
        figures |= _measure(url, variables, ServerClock(connection))
    results.record("reports", "UNITE_PERF_MYSQL_URL=… UNITE_PERF_REDIS_URL=… python -m perf.reports", figures)


def _last_weekday() -> date:
    last = call_history.last_day()
    while last.weekday() > FRIDAY:
        last -= timedelta(days=1)
    return last


def _measure(url: URL, variables: Mapping[str, str], clock: ServerClock) -> dict[str, Any]:
    engine = create_engine_for(url, without_timeouts=True)
    last = _last_weekday()
    figures: dict[str, Any] = {}
    with mysql_setup.started_unite(variables) as started:
        figures["a year's insights beside plain queries"] = beside_plain_queries(
            started, engine, clock, last, print_progress
        )
        figures["uncached reports"] = all_reports(started, clock, last, print_progress)
        if redis := os.environ.get("UNITE_PERF_REDIS_URL"):
            further = {"UNITE_REDIS_URL": redis, "UNITE_JWT_KEYS": f"perf:{'k' * 32}"}
            with mysql_setup.started_unite({**variables, **further}) as cached:
                figures["reports from the cache (Redis)"] = from_cache(cached, clock, last)
            print_progress("cached reports measured")
        figures["completions"] = folding_cost.completions(
            started, engine, clock, variables, TASKS_PER_TURN, print_progress
        )
        figures["unfolded entries"] = folding_cost.unfolded(started, engine, clock, last, print_progress)
        figures["rebuild-reports"] = folding_cost.rebuild(started, print_progress)
    engine.dispose()
    return figures


def _history(connection: Connection, url: URL, entries: int, folder: Path) -> dict[str, Any]:
    """Use the existing database with the ledger if it has that many entries, or create it; return its figures."""
    took: dict[str, Any] = {}
    exists = connection.exec_driver_sql("SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", (DATABASE,))
    existing = _counted(connection, "call_ledger") if exists.first() else 0
    if entries * 0.9 < existing < entries * 1.1:
        engine, since = create_engine_for(url, without_timeouts=True), time.perf_counter()
        upgrade(engine)
        took = {"migrating it, s": round(time.perf_counter() - since)}
        engine.dispose()
    else:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {DATABASE}")
        connection.exec_driver_sql(f"CREATE DATABASE {DATABASE}")
        engine = create_engine_for(url.update_query_dict({"local_infile": "1"}), without_timeouts=True)
        took = call_history.load(engine, entries, folder, print_progress)
        engine.dispose()
    tables = ("call_ledger", "call_rollups", "agent_rollups", "weekly_rollups", "leads")
    counted = {table: _counted(connection, table) for table in tables}
    return {"days": DAYS, "agents": call_history.AGENTS, **counted, **took}


def _counted(connection: Connection, table: str) -> int:
    number: int = connection.exec_driver_sql(f"SELECT COUNT(*) FROM {DATABASE}.{table}").scalar_one()
    return number


def _variable(connection: Connection, name: str) -> str:
    return str(connection.exec_driver_sql("SHOW VARIABLES LIKE %s", (name,)).one()[1])


if __name__ == "__main__":
    main()
