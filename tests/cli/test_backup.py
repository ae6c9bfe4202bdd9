"""Tests of `backup` and `restore`, as docs/how-to/back-up-and-restore.md describes them."""

import csv
import hashlib
import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from sqlalchemy import create_engine, make_url

from adapters.local.file_backup import linked_files
from entrypoints.__main__ import main
from entrypoints.cli.progress import StageProgress, console
from tests.cli.conftest import Command
from tests.cli.test_verify_ledger import add_calls, database, without_triggers
from tests.pictures import a_png
from tests.service_process import TIMEOUT, Client, direct_session, environment, eventually, run, service

ROWS = 20_000
PNG = a_png()
CALL_AND_PICTURE = {"lead.created", "call_task.created", "call_task.completed", "lead.changed", "lead.image_added"}

Output = pytest.CaptureFixture[str]


def a_file_of_leads() -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["Name", "Email"])
    writer.writerows([f"Lead {number}", f"lead{number}@example.com"] for number in range(ROWS))
    return buffer.getvalue().encode()


@dataclass
class Servers:
    """The settings of an installation to back up, and those of an empty one."""

    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)


@pytest.fixture(params=["sqlite", "mysql"])
def servers_of(request: pytest.FixtureRequest) -> Iterator[Servers]:
    if request.param == "sqlite":
        yield Servers()
        return
    url, mongodb = request.getfixturevalue("mysql_database"), request.getfixturevalue("mongodb_url")
    empty = make_url(url).set(database=f"{make_url(url).database}_b")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {empty.database}")
        yield Servers(
            {"UNITE_DATABASE_URL": url, "UNITE_MONGODB_URL": mongodb},
            {
                "UNITE_DATABASE_URL": empty.render_as_string(hide_password=False),
                "UNITE_MONGODB_URL": f"{mongodb}_b",
            },
        )
        connection.exec_driver_sql(f"DROP DATABASE {empty.database}")
    engine.dispose()
    with MongoClient[dict[str, Any]](mongodb) as client:
        client.drop_database(f"{mongodb.rpartition('/')[2]}_b")


def make_a_call(client: Client) -> str:
    """Complete one call; the lead that it was with."""
    lead = client.call("POST", "/v1/leads", json={"name": "Grace", "email": "grace@example.com"})
    task = client.call("POST", "/v1/call-tasks", json={"lead_id": lead["id"], "due_at": "2026-03-02T15:00:00Z"})
    completion = {"outcome": "connected", "duration_seconds": 300}
    client.call("POST", f"/v1/call-tasks/{task['id']}/complete", json=completion)
    return str(lead["id"])


def add_a_picture(client: Client, lead_id: str) -> None:
    new = {"content_type": "image/png", "size": len(PNG)}
    image = client.call("POST", f"/v1/leads/{lead_id}/images", json=new)
    upload = image["upload"]
    with direct_session() as session:
        assert session.put(upload["url"], data=PNG, headers=upload["headers"], timeout=TIMEOUT).status_code == 204
    client.call("POST", f"/v1/leads/{lead_id}/images/{image['id']}/complete")


def activity_of(client: Client, lead_id: str) -> list[str]:
    return [event["type"] for event in client.call("GET", f"/v1/leads/{lead_id}/activity")["items"]]


def rows_of(client: Client, import_id: str) -> int:
    rows: int = client.lead_import(import_id)["counts"]["rows"]
    return rows


def manifest_of(archive: Path) -> dict[str, Any]:
    with tarfile.open(archive) as tar:
        manifest: dict[str, Any] = json.load(tar.extractfile("manifest.json") or io.BytesIO())
        return manifest


def test_an_import_that_was_running_during_a_backup_continues_after_its_restore(
    tmp_path: Path, servers_of: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with service(first, **servers_of.before) as one:
        one.start()
        client = one.client()
        lead_id = make_a_call(client)
        add_a_picture(client, lead_id)
        events = eventually(
            lambda: set(it := activity_of(client, lead_id)) >= CALL_AND_PICTURE and it,
            "the call and the picture are in the activity",
        )
        # In this process: until another one has started the import is over.
        monkeypatch.chdir(first)
        for name, value in (servers_of.before | {"UNITE_DATA_DIR": str(first / "var")}).items():
            monkeypatch.setenv(name, value)
        import_id = client.import_leads(a_file_of_leads())
        eventually(lambda: rows_of(client, import_id), "the import has begun")

        assert main(["backup", "unite.tar"]) == 0

        assert 1 < manifest_of(first / "unite.tar")["counts"]["leads"] < ROWS, "it was taken too early or too late"
        assert stat.S_IMODE((first / "unite.tar").stat().st_mode) == 0o600
        assert [path.name for path in first.glob(".unite-backup*")] == []
        assert not (first / "var" / "files" / ".backup").exists()
        authorization = client.session.headers["Authorization"]

    restored = run(second, "restore", str(first / "unite.tar"), **servers_of.after)

    assert restored.returncode == 0, restored.stderr
    assert "1 entries of 1 call tasks: every chain is whole." in restored.stdout
    with service(second, **servers_of.after) as other:
        other.start()
        client = Client(other.url)
        client.session.headers["Authorization"] = authorization
        assert client.call("GET", "/v1/me")["email"] == "ann@example.com"
        eventually(lambda: client.lead_import(import_id)["status"] == "completed", "the restored import completes")
        counts = client.lead_import(import_id)["counts"]
        assert (counts["created"], counts["rows"]) == (ROWS, ROWS)
        assert activity_of(client, lead_id) == events
        [picture] = client.call("GET", f"/v1/leads/{lead_id}/images")["items"]
        with direct_session() as session:
            assert session.get(picture["download_url"], timeout=TIMEOUT).content.startswith(PNG[:16])
    assert run(second, "verify-ledger", **servers_of.after).returncode == 0
    for name, value in servers_of.after.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("UNITE_DATA_DIR", str(second / "var"))
    assert main(["restore", str(first / "unite.tar")]) == 1, "it is not empty any more"
    if servers_of.after:
        assert run(second, "reconcile", "--date", "2026-03-02", **servers_of.after).returncode == 0


@pytest.fixture
def archive(with_admin: Command, tmp_path: Path, capsys: Output) -> Path:
    """The archive of an installation with one user."""
    assert with_admin("backup", "unite.tar") == 0
    capsys.readouterr()
    return tmp_path / "unite.tar"


@pytest.fixture
def elsewhere(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001 - it comes first
    """An empty data folder, which commands work on from here on."""
    monkeypatch.setenv("UNITE_DATA_DIR", str(tmp_path / "elsewhere"))
    return tmp_path / "elsewhere"


def emails(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "unite.sqlite3")) as connection:
        return [email for (email,) in connection.execute("SELECT email FROM users")]


def test_the_contents_of_an_archive_are_printed(with_admin: Command, tmp_path: Path, capsys: Output) -> None:
    assert with_admin("backup", "unite.tar") == 0

    assert "Files are included.\nKeys are included.\n" in capsys.readouterr().out
    with tarfile.open(tmp_path / "unite.tar") as tar:
        assert tar.getnames() == ["unite.sqlite3", "jwt_keys", "manifest.json"]
        assert {member.mode for member in tar} == {0o600}
    manifest = manifest_of(tmp_path / "unite.tar")
    assert (manifest["database"], manifest["counts"]["users"], manifest["documents"]) == ("sqlite", 1, None)


def test_an_archive_is_written_to_standard_output_and_read_from_standard_input(tmp_path: Path) -> None:
    pipe = "umask 077; python -m entrypoints backup - | UNITE_DATA_DIR=elsewhere python -m entrypoints restore -"
    assert run(tmp_path, "migrate").returncode == 0

    result = shell(tmp_path, pipe)

    assert "every chain is whole" in result
    assert (tmp_path / "elsewhere" / "unite.sqlite3").exists()


def shell(folder: Path, line: str) -> str:
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env=environment(folder) | path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_leftovers_of_an_earlier_database_do_not_damage_a_restored_one(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    assert run(first, "migrate").returncode == 0
    assert run(first, "backup", "unite.tar").returncode == 0
    with service(second) as other:
        other.start()
        other.client().call("POST", "/v1/leads", json={"name": "Grace", "email": "grace@example.com"})
        other.kill_all()
    for name in ("unite.sqlite3", "jwt_keys"):
        (second / "var" / name).unlink()
    assert (second / "var" / "unite.sqlite3-wal").stat().st_size

    restored = run(second, "restore", str(first / "unite.tar"))

    assert restored.returncode == 0, restored.stderr
    assert "unite.sqlite3-wal was left of an earlier database, and is removed." in restored.stdout
    with closing(sqlite3.connect(second / "var" / "unite.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM leads").fetchone() == (0,)


def test_a_restore_into_a_used_installation_is_refused(
    archive: Path, with_admin: Command, tmp_path: Path, capsys: Output
) -> None:
    before = (tmp_path / "var" / "unite.sqlite3").read_bytes()

    assert with_admin("restore", str(archive)) == 1

    errors = capsys.readouterr().err
    assert "A backup is restored into an empty installation alone" in errors
    assert "jwt_keys" in errors
    assert (tmp_path / "var" / "unite.sqlite3").read_bytes() == before


def test_a_damaged_installation_can_be_moved_away_and_restored(
    with_admin: Command, tmp_path: Path, capsys: Output
) -> None:
    assert with_admin("backup", "unite.tar") == 0
    (tmp_path / "var").rename(tmp_path / "damaged")

    assert with_admin("restore", "unite.tar") == 0

    assert with_admin("users", "list") == 0
    assert "ann@example.com" in capsys.readouterr().out


def test_a_backup_can_be_restored_into_an_emptied_data_folder(with_admin: Command, tmp_path: Path) -> None:
    assert with_admin("backup", "unite.tar") == 0
    for path in filter(Path.is_file, (tmp_path / "var").iterdir()):
        path.unlink()

    assert with_admin("restore", "unite.tar") == 0


def test_a_backup_of_an_older_version_with_fewer_tables_is_restored(
    archive: Path, command: Command, elsewhere: Path
) -> None:
    def without_users(manifest: dict[str, Any]) -> dict[str, Any]:
        return {**manifest, "counts": {name: number for name, number in manifest["counts"].items() if name != "users"}}

    rewrite(archive, without_users)

    assert command("restore", str(archive)) == 0
    assert (elsewhere / "unite.sqlite3").exists()


def cut(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:5_000])


def change_a_byte(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[20_000] ^= 1
    archive.write_bytes(content)


def put_something_else_there(archive: Path) -> None:
    archive.write_bytes(b"holiday pictures" * 1000)


def leave_the_end_out(archive: Path) -> None:
    rewrite(archive, lambda manifest: None)  # noqa: ARG005 - there is none afterwards


def be_of_a_later_schema(archive: Path) -> None:
    rewrite(archive, lambda manifest: {**manifest, "revision": "9999"})


def be_of_a_later_format(archive: Path) -> None:
    rewrite(archive, lambda manifest: {**manifest, "format": 2, "version": "9.0"})


def rewrite(archive: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    with tarfile.open(archive) as tar:
        members = [(info, (tar.extractfile(info) or io.BytesIO()).read()) for info in tar]
    with tarfile.open(archive, "w") as tar:
        for info, content in members:
            if info.name == "manifest.json":
                changed = change(json.loads(content))
                if changed is None:
                    continue
                content = json.dumps(changed).encode()  # noqa: PLW2901 - the same, changed
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut, "cannot be read as a tar file"),
        (change_a_byte, "unite.sqlite3 is not what the manifest says of it"),
        (put_something_else_there, "cannot be read as a tar file"),
        (leave_the_end_out, "It has no manifest"),
        (be_of_a_later_schema, "the schema 9999, which this version of Unite does not know"),
        (be_of_a_later_format, "It was written by version 9.0 of Unite"),
    ],
)
def test_an_incomplete_archive_is_refused_before_anything_changes(
    archive: Path, elsewhere: Path, command: Command, capsys: Output, damage: Callable[[Path], None], reason: str
) -> None:
    damage(archive)

    assert command("restore", str(archive)) == 1

    assert reason in capsys.readouterr().err
    assert not elsewhere.exists()


def test_an_archive_with_paths_outside_the_folder_is_refused(
    archive: Path, elsewhere: Path, command: Command, capsys: Output
) -> None:
    with tarfile.open(archive, "a") as tar:
        tar.addfile(tarfile.TarInfo("files/../../there"), io.BytesIO())

    assert command("restore", str(archive)) == 1

    assert "It contains what a backup of Unite does not." in capsys.readouterr().err
    assert not elsewhere.exists()


def test_a_restored_installation_has_its_users_and_keys(
    archive: Path, elsewhere: Path, command: Command, tmp_path: Path
) -> None:
    assert command("restore", str(archive)) == 0

    assert emails(elsewhere) == ["ann@example.com"]
    assert (elsewhere / "jwt_keys").read_text() == (tmp_path / "var" / "jwt_keys").read_text()
    lax = [path for path in elsewhere.rglob("*") if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert lax == []


def test_a_broken_ledger_in_the_backup_is_reported_and_restored_unchanged(
    with_admin: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    add_calls(os.environ)
    with database(tmp_path) as connection:
        without_triggers(connection)
        connection.execute("UPDATE call_ledger SET duration_seconds = 3000 WHERE number = 2")
    assert with_admin("backup", "unite.tar") == 0
    monkeypatch.setenv("UNITE_DATA_DIR", str(tmp_path / "elsewhere"))
    capsys.readouterr()

    assert with_admin("restore", "unite.tar") == 1

    assert "The call ledger of the backup is broken at entry 2 of call task" in capsys.readouterr().err
    assert emails(tmp_path / "elsewhere") == ["ann@example.com"]


def damage_an_index(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_users_created'")
    content = bytearray(path.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(content)


def test_a_damaged_database_is_not_backed_up(with_admin: Command, tmp_path: Path, capsys: Output) -> None:
    damage_an_index(tmp_path / "var" / "unite.sqlite3")

    assert with_admin("backup", "unite.tar") == 1

    assert "The database is damaged, so that a backup of it would be of no use" in capsys.readouterr().err
    assert not (tmp_path / "unite.tar").exists()


def test_a_damaged_database_is_not_restored(
    archive: Path, elsewhere: Path, command: Command, tmp_path: Path, capsys: Output
) -> None:
    database_file = tmp_path / "damaged"
    with tarfile.open(archive) as tar:
        members = {info.name: (tar.extractfile(info) or io.BytesIO()).read() for info in tar}
    database_file.write_bytes(members["unite.sqlite3"])
    damage_an_index(database_file)
    manifest = json.loads(members.pop("manifest.json"))
    members["unite.sqlite3"] = database_file.read_bytes()
    manifest["members"]["unite.sqlite3"]["sha256"] = hashlib.sha256(members["unite.sqlite3"]).hexdigest()
    with tarfile.open(archive, "w") as tar:
        for name, content in (members | {"manifest.json": json.dumps(manifest).encode()}).items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))

    assert command("restore", str(archive)) == 1

    assert "The database in the backup is damaged" in capsys.readouterr().err
    assert [path.name for path in elsewhere.iterdir()] == [".lock"]


def test_concurrent_backups_of_a_folder_are_refused(with_admin: Command, tmp_path: Path, capsys: Output) -> None:
    with linked_files(tmp_path / "var" / "files"):
        assert with_admin("backup", "unite.tar") == 1

    assert "Another backup of" in capsys.readouterr().err
    assert with_admin("backup", "unite.tar") == 0


def test_files_that_are_deleted_or_replaced_during_a_backup_are_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "imports").mkdir(parents=True)
    (folder / ".incoming").mkdir()
    for name in ("imports/deleted", "imports/replaced", ".incoming/unfinished"):
        (folder / name).write_text("before")

    with linked_files(folder) as files:
        files.link()
        (folder / "imports" / "deleted").unlink()
        (folder / "new").write_text("after")
        (folder / "new").replace(folder / "imports" / "replaced")
        (folder / "imports" / "added").write_text("after")
        files.link()
        contents = {key: path.read_text() for key, path in files.paths().items()}

    assert contents == {"imports/added": "after", "imports/deleted": "before", "imports/replaced": "after"}
    assert not (folder / ".backup").exists()


def test_without_an_installation_there_is_no_backup(command: Command, tmp_path: Path, capsys: Output) -> None:
    assert command("backup", "unite.tar") == 1
    assert "There is nothing to back up" in capsys.readouterr().err

    (tmp_path / "var").mkdir()
    assert command("backup", "unite.tar") == 1
    assert "There is nothing to back up" in capsys.readouterr().err

    (tmp_path / "var" / "unite.sqlite3").write_text("holiday pictures" * 100)
    assert command("backup", "unite.tar") == 1
    assert "cannot be used: file is not a database" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "var"]


def test_an_existing_file_is_not_overwritten(with_admin: Command, tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "unite.tar").write_text("yesterday's")

    assert with_admin("backup", "unite.tar") == 1

    assert "is there already; name another file" in capsys.readouterr().err
    assert (tmp_path / "unite.tar").read_text() == "yesterday's"


def test_a_folder_that_is_not_writable_is_reported(with_admin: Command, capsys: Output) -> None:
    assert with_admin("backup", "nowhere/unite.tar") == 1

    assert capsys.readouterr().err == "The backup cannot be written: No such file or directory.\n"


def test_a_backup_of_sqlite_is_not_restored_into_mysql(
    archive: Path, elsewhere: Path, command: Command, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("UNITE_DATABASE_URL", "mysql://user:secret@127.0.0.1:1/unite")

    assert command("restore", str(archive)) == 1

    assert "The backup is of sqlite, and the database of the settings is mysql" in capsys.readouterr().err
    assert not elsewhere.exists()


def test_progress_of_a_long_backup_is_shown_by_stage(capsys: Output) -> None:
    with StageProgress(console(), after=0) as stages:
        stages.show("database copied", 1, 2)
        stages.show("database copied", 2, 2)
        stages.show("archive written", 1, 4)

    assert capsys.readouterr().out == "  database copied 100%\n  archive written  25%\n"


def test_progress_of_a_short_backup_is_not_shown(capsys: Output) -> None:
    with StageProgress(console()) as stages:
        stages.show("database copied", 1, 2)

    assert capsys.readouterr().out == ""
