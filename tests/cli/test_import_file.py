"""Tests of the `import` command: its output, its error report, and its exit codes."""

import csv
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.service_process import environment, eventually, service

Output = pytest.CaptureFixture[str]

MESSY = """Name,Phone,E-mail
Ann,(212) 555-0101,ann@example.org
Ben,0044 20 7946 0138,ben@example.org
Ann again,212.555.0101,
"""


def leads(folder: Path) -> list[tuple[object, ...]]:
    database = sqlite3.connect(folder / "var" / "unite.sqlite3")
    try:
        return database.execute("SELECT name, source FROM leads WHERE deleted_at IS NULL ORDER BY name").fetchall()
    finally:
        database.close()


def uploads(folder: Path) -> list[Path]:
    """What is left of files that were to be imported."""
    files = folder / "var" / "files"
    return [path for place in ("imports", "uploads") for path in (files / place).rglob("*") if path.is_file()]


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    path = tmp_path / "leads.csv"
    path.write_text(MESSY)
    return path


def test_a_file_is_imported_and_the_rejected_rows_are_written_beside_it(
    with_admin: Command, messy: Path, tmp_path: Path, capsys: Output
) -> None:
    assert with_admin("import", str(messy), "--default-country", "us", "--default-source", "Trade Fair") == 0

    output = capsys.readouterr().out
    assert [line.split() for line in output.splitlines() if line.startswith("  ") and "leads.csv" not in line] == [
        ["created", "1"],
        ["updated", "0"],
        ["duplicate", "1"],
        ["rejected", "1"],
        ["rows", "3"],
    ]
    assert "leads.csv 100%" in output
    assert leads(tmp_path) == [("Ann", "trade fair")]
    report = tmp_path / "leads.errors.csv"
    assert str(report) in output
    with report.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["unite_row"], row["Name"], row["unite_code"]) == ("3", "Ben", "invalid_phone")


def test_a_corrected_error_report_can_be_imported_unchanged(with_admin: Command, messy: Path, tmp_path: Path) -> None:
    with_admin("import", str(messy), "--default-country", "US")
    report = tmp_path / "leads.errors.csv"
    report.write_bytes(report.read_bytes().replace(b"0044 20 7946 0138", b"+442079460138"))

    assert with_admin("import", str(report), "--default-country", "US") == 0

    assert [name for name, _ in leads(tmp_path)] == ["Ann", "Ben"]
    assert not (tmp_path / "leads.errors.errors.csv").exists()


def test_the_same_file_again_is_the_same_import(
    with_admin: Command, messy: Path, tmp_path: Path, capsys: Output
) -> None:
    with_admin("import", str(messy), "--default-country", "US")
    capsys.readouterr()

    assert with_admin("import", str(messy), "--default-country", "US") == 0

    assert "The same file was imported at " in capsys.readouterr().out
    assert [name for name, _ in leads(tmp_path)] == ["Ann"]
    assert uploads(tmp_path) == []


def test_a_dry_run_changes_nothing(with_admin: Command, messy: Path, tmp_path: Path, capsys: Output) -> None:
    assert with_admin("import", str(messy), "--default-country", "US", "--dry-run") == 0

    assert "nothing was changed" in capsys.readouterr().out
    assert leads(tmp_path) == []


def test_a_later_row_updates_a_lead_if_the_option_is_set(with_admin: Command, messy: Path, tmp_path: Path) -> None:
    assert with_admin("import", str(messy), "--default-country", "US", "--on-duplicate", "update") == 0

    assert [name for name, _ in leads(tmp_path)] == ["Ann again"]


def test_columns_can_be_mapped_and_ignored(with_admin: Command, tmp_path: Path) -> None:
    path = tmp_path / "strange.csv"
    path.write_text("Who?,Where = how,Source\nAnn,ann@example.org,nowhere\n")

    named = ("--column", "Who?=name", "--column", "Where = how=email", "--column", "Source=ignore")

    assert with_admin("import", str(path), *named) == 0
    assert leads(tmp_path) == [("Ann", "import")]


def test_leads_can_be_assigned_to_a_user(with_admin: Command, messy: Path, tmp_path: Path) -> None:
    assert with_admin("import", str(messy), "--default-country", "US", "--assigned-to", "Ann@example.com") == 0

    database = sqlite3.connect(tmp_path / "var" / "unite.sqlite3")
    assigned = database.execute("SELECT u.email FROM leads l JOIN users u ON u.id = l.assigned_to").fetchall()
    database.close()
    assert assigned == [("ann@example.com",)]


def test_a_file_without_leads_fails_with_a_reason(with_admin: Command, tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("colour,size\nred,12\n")

    assert with_admin("import", str(path)) == 1

    assert "phone number or an e-mail address" in capsys.readouterr().err
    assert leads(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("nothing.csv",), "cannot be read: No such file"),
        ((".",), "cannot be read: Is a directory"),
        (("leads.csv", "--as", "nobody@example.com"), "no active user nobody@example.com"),
        (("leads.csv", "--assigned-to", "nobody@example.com"), "no active user nobody@example.com"),
        (("leads.csv", "--default-country", "XX"), "XX is not a country"),
        (("leads.csv", "--on-duplicate", "merge"), "invalid choice"),
        (("leads.csv", "--column", "Name"), "is not HEADER=FIELD"),
        (("leads.csv", "--column", "Name=colour"), "is not HEADER=FIELD"),
        ((), "FILE"),
    ],
)
def test_wrong_usage_exits_with_code_2_and_a_message(
    with_admin: Command, messy: Path, arguments: tuple[str, ...], why: str, capsys: Output
) -> None:
    assert messy.exists()

    assert with_admin("import", *arguments) == 2
    assert why in capsys.readouterr().err


def test_an_invalid_source_is_reported_and_leaves_no_file(
    with_admin: Command, messy: Path, tmp_path: Path, capsys: Output
) -> None:
    assert with_admin("import", str(messy), "--default-source", "s" * 65) == 1

    assert "options.default_source" in capsys.readouterr().err
    assert uploads(tmp_path) == []


def test_without_an_admin_an_import_is_refused(command: Command, messy: Path, capsys: Output) -> None:
    assert command("import", str(messy)) == 2
    assert "users create" in capsys.readouterr().err


def test_an_import_on_behalf_of_an_agent_is_refused(
    with_admin: Command, messy: Path, tmp_path: Path, capsys: Output
) -> None:
    password = str(tmp_path / "password")
    with_admin("users", "create", "ben@example.com", "--name", "Ben", "--password-file", password)

    assert with_admin("import", str(messy), "--as", "ben@example.com") == 1
    assert "may not" in capsys.readouterr().err


def large(folder: Path) -> Path:
    path = folder / "large.csv"
    path.write_text("Name,Email\n" + "".join(f"Lead {it},lead{it}@example.com\n" for it in range(20_000)))
    return path


def importing(folder: Path, path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "entrypoints", "import", str(path)],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_import_is_continued_by_the_same_command(
    with_admin: Command, tmp_path: Path, number: signal.Signals
) -> None:
    path = large(tmp_path)
    with importing(tmp_path, path) as process:
        eventually(lambda: leads(tmp_path), "the import has begun")
        os.kill(process.pid, number)
        _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert "Stopped." in errors
    assert len(leads(tmp_path)) < 20_000

    assert with_admin("import", str(path)) == 0

    assert len(leads(tmp_path)) == 20_000


def test_a_file_is_imported_once_while_the_service_runs(with_admin: Command, tmp_path: Path) -> None:
    with service(tmp_path) as one:
        one.start()
        eventually(lambda: "The worker is ready." in one.log.read_text(), "the worker is ready")

        assert with_admin("import", str(large(tmp_path))) == 0

        assert len(leads(tmp_path)) == 20_000
