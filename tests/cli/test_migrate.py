"""`migrate`: bringing the database up to date, and asking whether it is."""

from pathlib import Path

import pytest

from tests.cli.conftest import Command


def test_a_database_is_made_and_then_current(command: Command, tmp_path: Path) -> None:
    assert command("migrate", "--check") == 1
    assert not (tmp_path / "var").exists()

    assert command("migrate") == 0

    assert command("migrate", "--check") == 0


def test_what_cannot_be_migrated_is_told(command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "unite.sqlite3").write_text("holiday pictures" * 100)

    assert command("migrate", "--check") == 1
    assert command("migrate") == 1
    assert "cannot be used" in capsys.readouterr().err


def test_wrong_settings_are_told(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNITE_PORT", "eighty")
    monkeypatch.setenv("UNITE_PROT", "80")

    assert command("migrate") == 1
    assert command("migrate", "--check") == 1
    assert "UNITE_PORT: is not a whole number" in capsys.readouterr().err


def test_a_variable_that_nothing_reads_is_warned_about(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNITE_PROT", "80")

    assert command("migrate") == 0
    assert "did you mean UNITE_PORT?" in capsys.readouterr().err
