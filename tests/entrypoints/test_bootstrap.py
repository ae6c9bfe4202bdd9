"""Tests of the start of the application: what is created, what is refused, and what survives a restart."""

import io
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from entrypoints.bootstrap import (
    OPERATOR,
    StartRefused,
    create_first_admin,
    database_is_current,
    has_admin,
    start,
)
from entrypoints.bootstrap.database import FILE as DATABASE
from entrypoints.keys import FILE
from entrypoints.settings import FirstAdmin, Settings
from tests.servers.own import OwnServer
from unite_core.errors import Unavailable
from unite_core.identity.use_cases import Credentials

ADMIN = FirstAdmin(email="ann@example.com", password="correct horse battery")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "var", first_admin=ADMIN)


def test_everything_is_in_one_folder_with_access_for_its_owner_only(settings: Settings, tmp_path: Path) -> None:
    with start(settings):
        pass

    assert [path.name for path in tmp_path.iterdir()] == ["var"]
    assert settings.data_dir.stat().st_mode & 0o777 == 0o700


def test_the_first_admin_is_added_once(settings: Settings) -> None:
    with start(settings) as started:
        assert not has_admin(started)
        added = create_first_admin(started)
        assert added is not None
        assert added.email == "ann@example.com"
    with start(settings) as again:
        assert create_first_admin(again) is None
        assert has_admin(again)


def test_without_settings_of_an_admin_no_user_is_added(settings: Settings) -> None:
    with start(replace(settings, first_admin=None)) as started:
        assert create_first_admin(started) is None
        assert not has_admin(started)


def test_a_login_survives_a_restart_with_a_new_first_key(settings: Settings) -> None:
    with start(settings) as started:
        create_first_admin(started)
        pair = started.unite.identity.log_in(
            Credentials(email=ADMIN.email, password=ADMIN.password, address="127.0.0.1")
        )
    keys = settings.data_dir / FILE
    keys.write_text(f"newest:{'n' * 32},{keys.read_text()}")

    with start(settings) as again:
        assert again.unite.identity.authenticate(pair.access_token).role == "admin"


def test_a_link_stays_valid_after_a_new_first_key_and_cursors_use_the_new_one(settings: Settings) -> None:
    old, new = {"old": b"o" * 32}, {"new": b"n" * 32, "old": b"o" * 32}
    with start(replace(settings, jwt_keys=old)) as started:
        link = started.files.sign_upload("a/b", content_type="text/csv", size=2, ttl=timedelta(hours=1))
        before = started.cursor_secrets

    with start(replace(settings, jwt_keys=new)) as rotated:
        query = dict(parse_qsl(urlsplit(link.url).query))
        assert rotated.signed_files is not None
        rotated.signed_files.receive("a/b", query, content_type="text/csv", size=2, body=io.BytesIO(b"12"))
        assert rotated.files.size("a/b") == 2
        assert rotated.cursor_secrets[1:] == before
        assert len(rotated.cursor_secrets) == 2


def test_configured_keys_are_not_written_to_a_file(settings: Settings) -> None:
    with start(replace(settings, jwt_keys={"a": b"a" * 32})):
        pass

    assert not (settings.data_dir / FILE).exists()


def test_the_database_and_the_disk_are_dependencies(settings: Settings) -> None:
    with start(settings) as started:
        assert list(started.dependencies) == ["database", "disk"]
        for dependency in started.dependencies.values():
            dependency.check()
        started.dependencies["database"].check()


def test_redis_is_not_required(settings: Settings, private_redis: OwnServer) -> None:
    private_redis.stop()

    with start(replace(settings, redis_url=private_redis.url)) as started:
        redis = started.dependencies["redis"]
        assert not redis.required
        assert redis.breaker is not None
        assert redis.breaker() == "closed"
        with pytest.raises(Unavailable):
            redis.check()
        assert started.dependencies["database"].required


def test_a_database_on_a_server_is_migrated(settings: Settings, mysql_database: str) -> None:
    there = replace(settings, database_url=mysql_database)
    assert not database_is_current(there)

    with start(there) as started:
        started.dependencies["database"].check()

    assert database_is_current(there)
    assert not (settings.data_dir / DATABASE).exists()


def test_a_database_outside_the_data_folder_can_be_configured(settings: Settings, tmp_path: Path) -> None:
    with start(replace(settings, database_url=f"sqlite:///{tmp_path / 'other.db'}")):
        pass

    assert (tmp_path / "other.db").exists()
    assert not (settings.data_dir / DATABASE).exists()


def test_the_name_of_the_data_folder_may_contain_special_characters_of_urls(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "why? 100% & #1"

    with start(replace(settings, data_dir=folder)):
        pass

    assert (folder / DATABASE).is_file()


def test_checking_the_schema_creates_no_database(settings: Settings) -> None:
    assert not database_is_current(settings)
    assert not settings.data_dir.exists()

    with start(settings):
        pass

    assert database_is_current(settings)


def test_a_database_outside_the_data_folder_is_accessible_to_its_owner_only(settings: Settings, tmp_path: Path) -> None:
    with start(replace(settings, database_url=f"sqlite:///{tmp_path / 'elsewhere.db'}")):
        pass

    assert (tmp_path / "elsewhere.db").stat().st_mode & 0o077 == 0


def test_a_database_in_a_missing_folder_is_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="cannot be used"):
        start(replace(settings, database_url=f"sqlite:///{tmp_path / 'nowhere' / 'unite.db'}"))


def test_concurrent_starts_share_one_database_and_one_key(settings: Settings) -> None:
    def one(_: int) -> tuple[bytes, ...]:
        with start(settings) as started:
            create_first_admin(started)
            return started.cursor_secrets

    with ThreadPoolExecutor(4) as threads:
        secrets = set(threads.map(one, range(4)))

    assert len(secrets) == 1


def test_a_data_folder_that_cannot_be_created_is_refused(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StartRefused, match=r"file/var cannot be written to \(Not a directory\).*UNITE_DATA_DIR"):
        start(replace(settings, data_dir=tmp_path / "file" / "var"))


def test_a_data_folder_that_is_not_writable_is_refused(settings: Settings) -> None:
    # What no user may write to, whoever runs the tests.
    with pytest.raises(StartRefused, match="cannot be written to"):
        start(replace(settings, data_dir=Path("/proc/self")))


def test_a_damaged_key_file_is_refused_and_left_unchanged(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / FILE).write_text("what is this")

    with pytest.raises(StartRefused, match="The keys in the data folder are damaged"):
        start(settings)
    assert (settings.data_dir / FILE).read_text() == "what is this"


def test_a_database_of_a_newer_version_is_refused_and_left_unchanged(settings: Settings) -> None:
    with start(settings):
        pass
    with sqlite3.connect(settings.data_dir / DATABASE) as database:
        database.execute("UPDATE alembic_version SET version_num = 'of 2031'")
    database.close()

    with pytest.raises(StartRefused, match=r"cannot work with.*of 2031"):
        start(settings)
    assert not database_is_current(settings)


def test_a_file_that_is_not_a_database_is_refused_and_left_unchanged(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / DATABASE).write_bytes(b"holiday pictures" * 1000)

    with pytest.raises(StartRefused, match="cannot be used"):
        start(settings)
    assert (settings.data_dir / DATABASE).read_bytes() == b"holiday pictures" * 1000


def test_the_operator_sees_every_user(settings: Settings) -> None:
    with start(settings) as started:
        added = create_first_admin(started)
        assert added is not None
        assert started.unite.identity.get_user(OPERATOR, added.id).email == ADMIN.email
