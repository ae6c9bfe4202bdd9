"""Tests of file permissions in the data folder: only its owner has access, whatever the umask."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service_process import TIMEOUT, Client, Service, direct_session, eventually, run, service

CSV = b"Name,Phone\nGrace,+12125550101\nGrace,12\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 92


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Service]:
    with service(tmp_path) as it:
        it.migrates = True
        yield it


def lax(folder: Path) -> dict[str, str]:
    """Everything below the folder that others have a right on, with its mode."""
    modes = {path.relative_to(folder).as_posix(): path.lstat().st_mode for path in folder.rglob("*")}
    return {name: stat.filemode(mode) for name, mode in modes.items() if stat.S_IMODE(mode) & 0o077}


def use(client: Client) -> None:
    """Have files of every kind made: an upload, a picture, an error report, whatever the database has beside it."""
    import_id = client.import_leads(CSV)
    eventually(lambda: client.lead_import(import_id)["status"] == "completed", "the import is completed")
    [lead] = client.call("GET", "/v1/leads")["items"]
    new = {"content_type": "image/png", "size": len(PNG)}
    upload = client.call("POST", f"/v1/leads/{lead['id']}/images", json=new)["upload"]
    with direct_session() as session:
        sent = session.put(upload["url"], data=PNG, headers=upload["headers"], timeout=TIMEOUT)
    assert sent.status_code == 204


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_files_in_an_existing_folder_are_accessible_to_their_owner_only(one: Service, umask: int) -> None:
    folder = one.folder / "var"
    folder.mkdir()
    folder.chmod(0o755)
    one.umask = umask

    one.start()
    use(one.client())

    names = {path.name for path in folder.rglob("*")}
    assert {"unite.sqlite3", "unite.sqlite3-wal", "jwt_keys", ".lock", "worker.wake", "files"} <= names
    assert lax(folder) == {}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755  # its rights may have been given on purpose
    assert f"`chmod 700 {folder}`" in one.log.read_text()


def test_permissions_that_an_older_version_left_open_are_removed_at_the_start(one: Service) -> None:
    folder = one.folder / "var"
    one.start()
    use(one.client())
    one.kill_all()
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert (folder / "unite.sqlite3-wal").exists()

    one.start()

    assert lax(folder) == {}
    assert one.client().call("GET", "/v1/leads")["items"]


def test_a_private_folder_causes_no_warning(one: Service) -> None:
    one.umask = 0o000

    one.start()

    assert "chmod" not in one.log.read_text()
    assert stat.S_IMODE((one.folder / "var").stat().st_mode) == 0o700
    assert lax(one.folder / "var") == {}


def test_a_folder_that_others_can_change_causes_a_warning(one: Service) -> None:
    (one.folder / "var").mkdir()
    (one.folder / "var").chmod(0o777)

    one.start()

    assert "can be changed by others (mode 777)" in one.log.read_text()


def test_commands_create_files_that_are_accessible_to_their_owner_only(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "leads.csv").write_bytes(CSV)
    before = os.umask(0)
    try:
        assert run(tmp_path, "migrate", UNITE_DATABASE_URL=f"sqlite:///{tmp_path}/elsewhere.db").returncode == 0
        assert (
            run(
                tmp_path, "users", "create", "a@example.com", "--name", "A", "--role", "admin", text="x" * 12
            ).returncode
            == 0
        )
    finally:
        os.umask(before)

    assert lax(tmp_path / "var") == {}
    assert stat.S_IMODE((tmp_path / "elsewhere.db").stat().st_mode) == 0o600
