"""Tests of the `rebuild-reports` command: it recounts the rollups from the call ledger."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.test_verify_ledger import add_calls, database

Output = pytest.CaptureFixture[str]


def counted(folder: Path) -> int:
    with database(folder) as connection:
        [(number,)] = connection.execute("SELECT count(*) FROM call_rollups").fetchall()
    return int(number)


def test_without_calls_there_is_nothing_to_rebuild(with_admin: Command, capsys: Output) -> None:
    assert with_admin("rebuild-reports") == 0

    assert capsys.readouterr().out == "0 calls of 0 of 0 days are counted anew; 0 entries were folded after that.\n"


def test_unfolded_entries_can_be_folded_after_a_rebuild(with_admin: Command, tmp_path: Path, capsys: Output) -> None:
    add_calls(os.environ)

    assert with_admin("rebuild-reports") == 0

    shown = capsys.readouterr()
    assert shown.out == "0 calls of 1 of 1 days are counted anew; 3 entries were folded after that.\n"
    assert shown.err == ""
    assert counted(tmp_path) > 0


def test_lost_rollups_are_restored(with_admin: Command, tmp_path: Path, capsys: Output) -> None:
    add_calls(os.environ)
    assert with_admin("rebuild-reports") == 0
    before = counted(tmp_path)
    with database(tmp_path) as connection:
        connection.execute("DELETE FROM call_rollups")
    capsys.readouterr()

    assert with_admin("rebuild-reports") == 0

    assert capsys.readouterr().out == "2 calls of 1 of 1 days are counted anew; 0 entries were folded after that.\n"
    assert counted(tmp_path) == before


def test_a_service_that_cannot_start_is_reported_with_the_reason(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("UNITE_DATABASE_URL", "nonsense")

    assert command("rebuild-reports") != 0

    assert capsys.readouterr().out == ""
