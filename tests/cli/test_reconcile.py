"""Tests of the `reconcile` command: it shows differences between MongoDB and the database, and repairs them."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from entrypoints.bootstrap import start
from entrypoints.settings import read_settings
from tests.cli.conftest import Command
from tests.cli.test_verify_ledger import add_calls
from tests.cli.test_verify_ledger import database as sql_database
from unite_core.notifications.model import ACTIVITY

Output = pytest.CaptureFixture[str]
Found = Database[dict[str, Any]]


@pytest.fixture
def database(mongodb_url: str) -> Iterator[Found]:
    with MongoClient[dict[str, Any]](mongodb_url, uuidRepresentation="standard") as client:
        yield client.get_default_database()


@pytest.fixture
def with_documents(with_admin: Command, mongodb_url: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Commands on an installation with MongoDB, where two calls were made today."""
    monkeypatch.setenv("UNITE_MONGODB_URL", mongodb_url)
    add_calls(os.environ)
    deliver()
    return with_admin


def deliver() -> None:
    with start(read_settings(os.environ)) as started:
        started.unite.notifications.relay(ACTIVITY)


def today() -> str:
    # The calls were made five minutes before this test, at the most a day ago.
    return (datetime.now(UTC) - timedelta(minutes=5)).date().isoformat()


def test_a_day_without_differences_is_reported_as_equal(with_documents: Command, capsys: Output) -> None:
    assert with_documents("reconcile", "--date", today()) == 0

    output = capsys.readouterr().out
    figures = "2 total_calls, 2 completed, 0 missed, 0 cancelled, 600 seconds"
    assert output.splitlines() == [
        f"{today()} UTC",
        f"  rollups    {figures}",
        f"  ledger     {figures}",
        f"  documents  {figures}",
        "1 day reconciled: no difference.",
    ]


def test_differences_are_listed_and_repaired(with_documents: Command, database: Found, capsys: Output) -> None:
    first, second = database.call_log.find().sort("_id")
    database.call_log.delete_one({"_id": first["_id"]})
    database.call_log.update_one({"_id": second["_id"]}, {"$set": {"result": "converted"}})
    database.call_log.insert_one({**second, "_id": "copy"})

    assert with_documents("reconcile", "--date", today()) == 1

    output = capsys.readouterr().out
    assert f"missing: call task {first['_id']}, entry {first['entry_id']}" in output
    of_second = f"call task {second['_id']}, entry {second['entry_id']}"
    assert f"altered: {of_second}, result: {second['result']} expected, converted found" in output
    assert f"doubled: {of_second}, _id: nothing expected, copy found" in output
    assert output.splitlines()[-2:] == [
        "1 day reconciled: 1 with differences.",
        "`reconcile --repair` makes the documents what the ledger says.",
    ]

    assert with_documents("reconcile", "--date", today(), "--repair") == 0
    output = capsys.readouterr().out
    assert "1 written, 1 restored, 1 removed" in output
    assert output.endswith("1 day reconciled: no difference.\n")
    assert list(database.call_log.find().sort("_id")) == [first, second]
    assert with_documents("reconcile", "--date", today()) == 0


def test_different_rollups_are_repaired_by_the_command_that_is_shown(
    with_admin: Command, tmp_path: Path, capsys: Output
) -> None:
    add_calls(os.environ)
    assert with_admin("rebuild-reports") == 0
    with sql_database(tmp_path) as connection:
        connection.execute("DELETE FROM call_rollups")
    capsys.readouterr()

    assert with_admin("reconcile", "--date", today()) == 1

    assert capsys.readouterr().out.splitlines()[-2:] == [
        "1 day reconciled: 1 with differences.",
        "`rebuild-reports` counts the rollups anew from the ledger.",
    ]
    assert with_admin("rebuild-reports") == 0
    assert with_admin("reconcile", "--date", today()) == 0


def test_rebuild_reports_names_the_command_that_compares_documents(with_documents: Command, capsys: Output) -> None:
    assert with_documents("rebuild-reports") == 0

    assert capsys.readouterr().out.endswith(
        "The documents of calls in MongoDB are as they were: `reconcile` compares them with the ledger.\n"
    )


def test_of_several_days_only_those_that_differ_are_shown(
    with_documents: Command, database: Found, capsys: Output
) -> None:
    database.call_log.delete_many({})
    week = (datetime.now(UTC) - timedelta(days=6)).date().isoformat()

    assert with_documents("reconcile", "--from", week, "--to", today(), "--tz", "Etc/UTC") == 1

    output = capsys.readouterr().out
    assert output.count(" Etc/UTC\n") == 1
    assert output.count("missing: ") == 2
    assert "reconciled 100%  7 of 7 days" in output
    assert "7 days reconciled: 1 with differences.\n" in output
    assert output.count("`reconcile --repair`") == 1

    assert with_documents("reconcile", "--from", week, "--to", today(), "--repair") == 0
    assert "2 written, 0 restored, 0 removed" in capsys.readouterr().out
    assert database.call_log.count_documents({}) == 2


def test_calls_older_than_mongodb_get_documents_by_a_repair(
    with_admin: Command, mongodb_url: str, database: Found, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    add_calls(os.environ)
    deliver()
    assert with_admin("reconcile", "--date", today()) == 0
    assert "documents  none, as there is no MongoDB" in capsys.readouterr().out
    monkeypatch.setenv("UNITE_MONGODB_URL", mongodb_url)

    assert with_admin("reconcile", "--date", today(), "--repair") == 0

    assert database.call_log.count_documents({}) == 2


def test_calls_with_a_pending_event_are_counted_as_pending(
    with_admin: Command, mongodb_url: str, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("UNITE_MONGODB_URL", mongodb_url)
    add_calls(os.environ)

    assert with_admin("reconcile", "--date", today()) == 0

    assert "  2 on their way to the documents\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--date", "2026-02-30"), 1, "--date: Give a date as YYYY-MM-DD"),
        (("--tz", "Berlin"), 1, "tz: Name a time zone"),
        (("--from", "2026-03-02", "--to", "2026-03-01"), 1, "--from: "),
        (("--date", "2026-03-02", "--to", "2026-03-03"), 2, "--date for one day"),
    ],
)
def test_invalid_days_are_refused(
    with_admin: Command, capsys: Output, arguments: tuple[str, ...], code: int, words: str
) -> None:
    assert with_admin("reconcile", *arguments) == code

    assert words in capsys.readouterr().err


def test_an_outage_of_mongodb_is_reported(
    with_admin: Command, private_mongodb: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Output
) -> None:
    monkeypatch.setenv("UNITE_MONGODB_URL", f"{private_mongodb.url.rstrip('/')}/unite")
    private_mongodb.stop()

    assert with_admin("reconcile") == 1

    assert "MongoDB did not do what it was asked" in capsys.readouterr().err
    assert (tmp_path / "var").exists()
