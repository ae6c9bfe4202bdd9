"""Test of a running service with requests generated from the OpenAPI document."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.http.any_request import send_any

TIMEOUT = 240.0


def test_generated_requests_get_documented_responses(tmp_path: Path) -> None:
    repeatable = ("--generation-deterministic", "--no-color")

    ended = send_any(tmp_path, *repeatable, examples=5, capture_output=True, timeout=TIMEOUT)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    sent = re.search(r"(\d+) generated", ended.stdout)
    assert sent, ended.stdout
    assert int(sent.group(1)) > 500
    with closing(sqlite3.connect(tmp_path / "var" / "unite.sqlite3")) as database:
        for table in ("leads", "lead_imports", "users"):
            ((rows,),) = database.execute(f"SELECT count(*) FROM {table}")
            assert rows > 1, f"no request got as far as adding {table}"
