"""Measure the import into MySQL, compared with LOAD DATA LOCAL INFILE of its accepted rows into the same table.

Usage: UNITE_PERF_MYSQL_URL=mysql://root:password@127.0.0.1:3306 python -m perf.mysql_import [ROWS]

The server has to allow `local_infile`. The script creates databases of its own, and drops them. Both sides use the same
server with the same settings, so that both are equally durable.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, make_url

from adapters.sql.engine import create_engine_for
from adapters.sql.leads.tables import leads
from adapters.sql.migrate import upgrade
from perf import lead_files, results

FEW = 50_000
IMPORTED, LOADED = "unite_perf_imported", "unite_perf_loaded"
SETTINGS = ("version", "innodb_flush_log_at_trx_commit", "sync_binlog", "log_bin", "innodb_buffer_pool_size")


def main() -> None:
    """Measure and record."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    server = make_url(os.environ["UNITE_PERF_MYSQL_URL"]).set(drivername="mysql+pymysql")
    root = create_engine(
        server.set(database=None).update_query_dict({"local_infile": "1"}), isolation_level="AUTOCOMMIT"
    )
    with tempfile.TemporaryDirectory() as folder, root.connect() as connection:
        settings = {name: _variable(connection, name) for name in SETTINGS}
        url = server.render_as_string(hide_password=False)
        few = _import(connection, Path(folder) / "few", FEW, url)
        many = _import(connection, Path(folder) / "many", rows, url)
        loaded = _load(connection, url, Path(folder) / "leads.tsv")
        for name in (IMPORTED, LOADED):
            connection.exec_driver_sql(f"DROP DATABASE {name}")
    accepted = many["counts"]["created"]
    import_rate, accepted_rate = (count / many["seconds"] for count in (many["counts"]["rows"], accepted))
    load_rate = accepted / loaded
    results.record(
        "mysql_import",
        "UNITE_PERF_MYSQL_URL=… python -m perf.mysql_import",
        {
            "file": f"{rows} rows, 5 % wrong, 5 % repeated",
            "server": settings,
            "counts": many["counts"],
            "import, rows per second": round(import_rate),
            "import, accepted rows per second": round(accepted_rate),
            "LOAD DATA of the accepted rows, rows per second": round(load_rate),
            "import rate / LOAD DATA": round(import_rate / load_rate, 3),
            "accepted import rate / LOAD DATA": round(accepted_rate / load_rate, 3),
            f"peak memory with {rows} rows, MB": round(many["peak_kib"] / 1024, 1),
            f"peak memory with {FEW} rows, MB": round(few["peak_kib"] / 1024, 1),
        },
    )


def _variable(connection: Connection, name: str) -> str:
    return str(connection.exec_driver_sql("SHOW VARIABLES LIKE %s", (name,)).one()[1])


def _import(connection: Connection, folder: Path, rows: int, server: str) -> dict[str, Any]:
    """Import a file into a new database, in a process of its own."""
    folder.mkdir()
    file = folder / "leads.csv"
    lead_files.write(rows, file)
    url = _fresh(connection, IMPORTED, server)
    result = subprocess.run(
        [sys.executable, "-m", "perf.one_import", str(folder), str(file)],
        env=os.environ | {"UNITE_DATABASE_URL": url},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    answer: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return answer


def _fresh(connection: Connection, name: str, server: str) -> str:
    connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}")
    connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _load(connection: Connection, server: str, file: Path) -> float:
    """Return the seconds that the server takes to load the imported leads from a file into a table like theirs."""
    engine: Engine = create_engine_for(_fresh(connection, LOADED, server))
    upgrade(engine)
    engine.dispose()
    columns = [column.name for column in leads.columns]
    binary = {"id", "assigned_to", "created_by", "import_id"}
    selected = ", ".join(f"HEX({name})" if name in binary else name for name in columns)
    with file.open("w", newline="", encoding="utf-8") as out:
        lines = csv.writer(out, delimiter="\t", lineterminator="\n", quotechar='"', quoting=csv.QUOTE_MINIMAL)
        result = connection.exec_driver_sql(f"SELECT {selected} FROM {IMPORTED}.leads ORDER BY id")
        while batch := result.fetchmany(5000):
            lines.writerows(["\\N" if value is None else value for value in row] for row in batch)
    connection.exec_driver_sql(f"INSERT INTO {LOADED}.users SELECT * FROM {IMPORTED}.users")
    targets = ", ".join(f"@{name}" if name in binary else name for name in columns)
    set_ = ", ".join(f"{name} = UNHEX(@{name})" for name in sorted(binary))
    statement = (
        f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {LOADED}.leads CHARACTER SET utf8mb4"
        f" FIELDS TERMINATED BY '\\t' OPTIONALLY ENCLOSED BY '\"' LINES TERMINATED BY '\\n' ({targets}) SET {set_}"
    )
    since = time.perf_counter()
    connection.exec_driver_sql(statement)
    seconds = time.perf_counter() - since
    count = connection.exec_driver_sql(f"SELECT count(*) FROM {LOADED}.leads").scalar_one()
    expected = connection.exec_driver_sql(f"SELECT count(*) FROM {IMPORTED}.leads").scalar_one()
    if count != expected:
        sys.exit(f"LOAD DATA loaded {count} of {expected} rows; the figures cannot be compared.")
    return seconds


if __name__ == "__main__":
    main()
