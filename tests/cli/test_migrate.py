"""Tests of the `migrate` command: upgrade or check the database, and grant rights."""

from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import DBAPIError

from adapters.sql.mysql.grants import ExcessPrivileges
from entrypoints.cli.migrate import _print_rights
from tests.cli.conftest import Command


def test_a_new_database_is_created_and_then_current(command: Command, tmp_path: Path) -> None:
    assert command("migrate", "--check") == 1
    assert not (tmp_path / "var").exists()

    assert command("migrate") == 0

    assert command("migrate", "--check") == 0


def test_a_database_that_cannot_be_migrated_is_reported(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "unite.sqlite3").write_text("holiday pictures" * 100)

    assert command("migrate", "--check") == 1
    assert command("migrate") == 1
    assert "cannot be used" in capsys.readouterr().err


def test_invalid_settings_are_reported(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNITE_PORT", "eighty")
    monkeypatch.setenv("UNITE_PROT", "80")

    assert command("migrate") == 1
    assert command("migrate", "--check") == 1
    assert "UNITE_PORT: is not a whole number" in capsys.readouterr().err


def test_an_unknown_variable_is_warned_about(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNITE_PROT", "80")

    assert command("migrate") == 0
    assert "did you mean UNITE_PORT?" in capsys.readouterr().err


def test_the_service_account_gets_its_privileges(
    command: Command, mysql_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = make_url(mysql_database)
    account = f"service_{str(url.database)[-12:]}"
    root = create_engine(url, isolation_level="AUTOCOMMIT")
    monkeypatch.setenv("UNITE_DATABASE_URL", mysql_database)
    monkeypatch.setenv("UNITE_DATABASE_SERVICE_ACCOUNT", f"{account}@%")

    assert command("migrate") == 1
    assert f"The account {account}@% (UNITE_DATABASE_SERVICE_ACCOUNT) cannot be given its rights" in (
        capsys.readouterr().err
    )

    with root.connect() as connection:
        connection.exec_driver_sql("CREATE USER %s@'%%' IDENTIFIED BY 'secret'", (account,))
        assert command("migrate") == 0
        service = create_engine(url.set(username=account, password="secret"))
        with service.connect() as theirs:
            assert theirs.exec_driver_sql("SELECT count(*) FROM call_ledger").scalar_one() == 0
            with pytest.raises(DBAPIError, match="denied"):
                theirs.exec_driver_sql("DELETE FROM call_ledger")
        service.dispose()
        assert f"{account}@% has its rights on every table, and no others." in capsys.readouterr().out

        with monkeypatch.context() as as_the_service:
            theirs_url = url.set(username=account, password="secret").render_as_string(hide_password=False)
            as_the_service.setenv("UNITE_DATABASE_URL", theirs_url)
            as_the_service.delenv("UNITE_DATABASE_SERVICE_ACCOUNT")
            assert command("backup", "unite.tar") == 0

        connection.exec_driver_sql("GRANT PROCESS ON *.* TO %s@'%%'", (account,))
        assert command("migrate") == 0
        assert "may do more than it has to, which could not be taken away: PROCESS ON *.*." in capsys.readouterr().err
        connection.exec_driver_sql("DROP USER %s@'%%'", (account,))
    root.dispose()


def test_privileges_that_cannot_be_seen_are_reported_as_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    _print_rights("service@%", ExcessPrivileges(seen=False))

    assert capsys.readouterr().out == (
        "service@% has its rights on every table. The migrating account may not see whether it has others.\n"
    )


def test_the_service_account_on_mongodb_is_created(
    command: Command, mongodb_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = mongodb_url.replace("//", "//service:secret@", 1)
    monkeypatch.setenv("UNITE_MONGODB_URL", mongodb_url)
    monkeypatch.setenv("UNITE_MONGODB_SERVICE_URL", service)

    assert command("migrate") == 0
    assert command("migrate") == 0

    expected = (
        "The service's account on MongoDB may read the activity log and add to it, write call documents, "
        "and nothing else.\n"
    )
    assert capsys.readouterr().out.count(expected) == 2
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        database = client.get_default_database()
        (user,) = database.command("usersInfo", "service")["users"]
        assert [role["role"] for role in user["roles"]] == ["unite_service"]
        assert {"activity", "import_log", "delivery_log"} <= set(database.list_collection_names())
        database.command("dropUser", "service")
        database.command("dropRole", "unite_service")


def test_without_mongodb_no_account_is_created_and_a_message_says_so(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNITE_MONGODB_URL", "mongodb://127.0.0.1:1/unite")
    monkeypatch.setenv("UNITE_MONGODB_SERVICE_URL", "mongodb://service:secret@127.0.0.1:1/unite")

    assert command("migrate") == 1

    errors = capsys.readouterr().err
    assert "The account in UNITE_MONGODB_SERVICE_URL cannot be given its rights" in errors
    assert "secret" not in errors
