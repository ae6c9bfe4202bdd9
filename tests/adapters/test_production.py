"""The ports of a program that imports the library."""

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.extras import require
from adapters.production import open_ports
from unite_core.application import build
from unite_core.files import UPLOAD_RETENTION, upload_key
from unite_core.testing.contracts.files import write
from unite_core.testing.in_memory import InMemoryCache, InMemoryFiles, InMemoryTopic, InMemoryUploadNotices

KEYS = {"k": b"s" * 32}


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'unite.sqlite3'}"


@pytest.mark.parametrize(
    ("keys", "refused"),
    [({}, "`keys` is empty"), ({"good": b"s" * 32, "bad": b"s" * 31}, "have less than 32 bytes: bad.")],
)
def test_keys_that_cannot_be_used_are_refused_before_anything_is_made(
    keys: Mapping[str, bytes], refused: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=refused), open_ports(url(tmp_path), folder=tmp_path / "data", keys=keys):
        pass

    assert list(tmp_path.iterdir()) == []


def test_another_kind_of_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mysql:"), open_ports("postgresql://host/a", folder=tmp_path, keys=KEYS):
        pass


def test_the_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    with open_ports(url(tmp_path), folder=tmp_path / "data", keys=KEYS):
        assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_without_a_migration_the_database_stays_as_it_is(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="another schema"),
        open_ports(url(tmp_path), folder=tmp_path, keys=KEYS, migrate=False),
    ):
        pass

    with sqlite3.connect(tmp_path / "unite.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_ports_that_are_given_take_the_place_of_embedded_ones(tmp_path: Path) -> None:
    with open_ports(url(tmp_path), folder=tmp_path, keys=KEYS) as embedded:
        topic, files, cache = InMemoryTopic(), InMemoryFiles(embedded.clock), InMemoryCache(embedded.clock)
        with open_ports(url(tmp_path), folder=tmp_path, keys=KEYS, topic=topic, files=files, cache=cache) as ports:
            assert (ports.topic, ports.files, ports.cache) == (topic, files, cache)


def test_work_deletes_uploads_that_nobody_used(tmp_path: Path) -> None:
    with open_ports(url(tmp_path), folder=tmp_path, keys=KEYS) as ports:
        for key in (upload_key("imports/old.csv"), upload_key("imports/young.csv"), "imports/stored.csv"):
            write(ports.files, key, b"12")
        before = (ports.clock.now() - UPLOAD_RETENTION).timestamp() - 1
        for name in (upload_key("imports/old.csv"), "imports/stored.csv"):
            os.utime(tmp_path / "files" / name, (before, before))

        build(ports).work_once()

        assert ports.files.size(upload_key("imports/old.csv")) is None
        assert ports.files.size(upload_key("imports/young.csv")) == ports.files.size("imports/stored.csv") == 2


def test_work_receives_the_notices_of_the_storage(tmp_path: Path) -> None:
    with open_ports(url(tmp_path), folder=tmp_path, keys=KEYS) as embedded:
        notices = InMemoryUploadNotices(embedded.clock)
    notices.announce(upload_key("imports/00000000-0000-7000-8000-000000000001.csv"))  # its file is gone

    with open_ports(url(tmp_path), folder=tmp_path, keys=KEYS, notices=notices) as ports:
        build(ports).work_once()

    assert notices.keys == []


def test_links_lead_to_the_url_of_the_program(tmp_path: Path) -> None:
    with open_ports(url(tmp_path), folder=tmp_path, keys=KEYS, url="https://roofs.example") as ports:
        assert ports.links.of_call_task("1") == "https://roofs.example/call-tasks/1"
        assert ports.links.of_import("2") == "https://roofs.example/imports/2"


def test_a_missing_extra_is_named() -> None:
    with pytest.raises(
        ModuleNotFoundError, match=r"no_such_module is not installed: pip install 'unite-adapters\[x\]'"
    ):
        require("x", "json", "no_such_module")
