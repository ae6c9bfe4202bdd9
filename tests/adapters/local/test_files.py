"""Tests of files in a folder beyond the contract of `Files`: permissions, tampered links, leftovers, a full disk."""

import errno
import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from adapters.local.files import INCOMING, LocalFiles
from unite_core.errors import Forbidden, Invalid, NotFound, TooLarge, Unavailable
from unite_core.files import UPLOAD_RETENTION, UPLOADS, upload_key
from unite_core.testing.in_memory.clock_and_ids import FixedClock

HOUR = timedelta(hours=1)
KEY = "imports/0190.csv"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def files(tmp_path: Path, clock: FixedClock) -> LocalFiles:
    return local_files(tmp_path, clock)


def local_files(folder: Path, clock: FixedClock, **secrets: bytes) -> LocalFiles:
    return LocalFiles(
        folder, public_url="https://unite.example", secrets_by_kid=secrets or {"a": b"a" * 32}, clock=clock
    )


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def test_files_and_folders_are_accessible_to_their_owner_only_whatever_the_umask(
    tmp_path: Path, clock: FixedClock
) -> None:
    before = os.umask(0)
    try:
        with local_files(tmp_path / "a" / "b", clock).write(KEY, content_type="text/csv") as stream:
            stream.write(b"1")
            incoming = [path.stat().st_mode & 0o077 for path in tmp_path.rglob("*")]
    finally:
        os.umask(before)

    assert [path.name for path in tmp_path.rglob("*") if path.stat().st_mode & 0o077] == []
    assert len(incoming) == 4
    assert set(incoming) == {0}


def on_disk(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def upload(files: LocalFiles, size: int, key: str = KEY) -> dict[str, str]:
    return query_of(files.sign_upload(key, content_type="text/csv", size=size, ttl=HOUR).url)


def store(files: LocalFiles, key: str, content: bytes) -> None:
    with files.write(key, content_type="text/csv") as stream:
        stream.write(content)


def send(files: LocalFiles, query: dict[str, str], content: bytes, **otherwise: Any) -> None:
    given: dict[str, Any] = {
        "key": KEY,
        "content_type": "text/csv",
        "size": len(content),
        "body": io.BytesIO(content),
    } | otherwise
    files.receive(given["key"], query, content_type=given["content_type"], size=given["size"], body=given["body"])


def code_of(files: LocalFiles, query: dict[str, str], content: bytes = b"1234", **otherwise: Any) -> str:
    with pytest.raises((Forbidden, Invalid, TooLarge)) as refused:
        send(files, query, content, **otherwise)
    return refused.value.code


def test_a_link_starts_with_the_public_url_of_the_service(files: LocalFiles) -> None:
    link = files.sign_upload(KEY, content_type="text/csv", size=4, ttl=HOUR)

    assert link.url.startswith("https://unite.example/files/imports/0190.csv?")
    assert (link.method, link.headers) == ("PUT", {"Content-Type": "text/csv"})


def test_an_uploaded_file_is_the_only_file_in_the_folder(files: LocalFiles, tmp_path: Path) -> None:
    send(files, upload(files, 4), b"1234")

    assert on_disk(tmp_path) == [KEY]
    assert (tmp_path / KEY).read_bytes() == b"1234"


def test_a_content_type_may_be_in_capitals_and_have_a_charset(files: LocalFiles) -> None:
    send(files, upload(files, 4), b"1234", content_type="Text/CSV; charset=utf-8")

    assert files.size(KEY) == 4


@pytest.mark.parametrize("name", ["size", "type", "expires", "kid", "signature"])
def test_a_link_with_any_parameter_changed_or_removed_is_refused(files: LocalFiles, tmp_path: Path, name: str) -> None:
    query = upload(files, 4)

    for changed in (query | {name: query[name] + "0"}, {key: it for key, it in query.items() if key != name}):
        assert code_of(files, changed) == "invalid_signature"
    assert on_disk(tmp_path) == []


@pytest.mark.parametrize("signature", ["", "é", "\ud800", "0" * 64])
def test_a_forged_signature_is_refused(files: LocalFiles, signature: str) -> None:
    assert code_of(files, upload(files, 4) | {"signature": signature}) == "invalid_signature"


def test_a_link_with_an_added_parameter_is_refused(files: LocalFiles) -> None:
    assert code_of(files, upload(files, 4) | {"filename": "x"}) == "invalid_signature"


def test_a_link_is_valid_for_one_key_only(files: LocalFiles) -> None:
    assert code_of(files, upload(files, 4), key="imports/0191.csv") == "invalid_signature"


def test_an_upload_link_does_not_allow_downloads_nor_a_download_link_uploads(files: LocalFiles) -> None:
    store(files, KEY, b"1234")
    download = files.sign_download(KEY, filename="a.csv", content_type="text/csv", ttl=HOUR)

    with pytest.raises(Forbidden):
        files.serve(KEY, upload(files, 4))
    assert code_of(files, query_of(download.url)) == "invalid_signature"


def test_a_link_is_valid_until_it_expires(files: LocalFiles, clock: FixedClock) -> None:
    query = upload(files, 4)
    clock.advance(HOUR - timedelta(seconds=1))
    send(files, query, b"1234")
    clock.advance(timedelta(seconds=1))

    assert code_of(files, query) == "link_expired"


def test_links_stay_valid_after_a_new_secret_is_added_first(tmp_path: Path, clock: FixedClock) -> None:
    before = upload(local_files(tmp_path, clock, old=b"o" * 32), 4)
    rotated = local_files(tmp_path, clock, new=b"n" * 32, old=b"o" * 32)

    send(rotated, before, b"1234")

    assert rotated.size(KEY) == 4
    assert upload(rotated, 4)["kid"] == "new"
    assert code_of(local_files(tmp_path, clock, new=b"n" * 32), before) == "invalid_signature"


class Endless(io.RawIOBase):
    """A client that never stops sending; `taken` is how many bytes it got rid of."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "asked for everything that there is"
        self.taken += size
        return b"x" * size


def test_an_upload_is_stopped_one_byte_after_its_announced_size(files: LocalFiles, tmp_path: Path) -> None:
    body = Endless()

    assert code_of(files, upload(files, 1000), size=None, body=body) == "too_large"
    assert body.taken == 1001
    assert on_disk(tmp_path) == []


def test_a_content_length_that_differs_from_the_announced_size_is_refused_unread(files: LocalFiles) -> None:
    body = Endless()

    assert code_of(files, upload(files, 1000), size=1001, body=body) == "too_large"
    assert code_of(files, upload(files, 1000), size=999, body=body) == "wrong_size"
    assert body.taken == 0


def test_an_upload_that_is_too_short_leaves_the_existing_file_unchanged(files: LocalFiles, tmp_path: Path) -> None:
    send(files, upload(files, 4), b"1234")

    assert code_of(files, upload(files, 5), b"abc", size=None) == "wrong_size"
    assert (tmp_path / KEY).read_bytes() == b"1234"
    assert on_disk(tmp_path) == [KEY]


@pytest.mark.parametrize("content_type", [None, "", "image/png", "text/csvx"])
def test_a_content_type_that_differs_from_the_announced_one_is_refused(
    files: LocalFiles, content_type: str | None
) -> None:
    assert code_of(files, upload(files, 4), content_type=content_type) == "wrong_type"


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "../secret", "a/../../secret", "a//b", "a/", "./a", ".incoming/x", "a\\b", "a\0", "a\n", "é"],
)
def test_no_key_refers_to_a_file_outside_the_folder(files: LocalFiles, tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="not a file key"):
        store(files, key, b"1234")
    with pytest.raises(ValueError, match="not a file key"):
        files.size(key)
    with pytest.raises(Forbidden):
        files.serve(key, upload(files, 4))
    assert on_disk(tmp_path) == []


def test_a_folder_is_not_found_as_a_file(files: LocalFiles) -> None:
    store(files, "images/a/b", b"1234")

    with pytest.raises(NotFound), files.read("images/a"):
        pass
    with pytest.raises(NotFound):
        files.move("images/a", "images/c")
    assert files.size("images/a/b") == 4


def test_a_download_name_may_be_in_any_script(files: LocalFiles) -> None:
    store(files, KEY, b"1234")
    link = files.sign_download(KEY, filename="Käufer & Leads 名簿.csv", content_type="text/csv", ttl=HOUR)

    assert link.url.isascii()
    served = files.serve(KEY, query_of(link.url))
    with served.body:
        assert (served.filename, served.content_type, served.size) == ("Käufer & Leads 名簿.csv", "text/csv", 4)
        assert served.body.read() == b"1234"


def test_a_full_disk_raises_unavailable_and_leaves_no_file(files: LocalFiles, tmp_path: Path) -> None:
    def fill() -> None:
        with files.write(KEY, content_type="text/csv") as stream:
            stream.write(b"12")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(Unavailable):
        fill()
    assert on_disk(tmp_path) == []


def test_partial_files_of_a_crash_are_removed_after_a_day_and_complete_files_are_not(
    files: LocalFiles, tmp_path: Path, clock: FixedClock
) -> None:
    store(files, KEY, b"1234")
    now = clock.now().timestamp()
    for name, age in (("yesterday", 90_000), ("just now", 10)):
        path = tmp_path / INCOMING / name
        path.write_bytes(b"12")
        os.utime(path, (now - age, now - age))

    assert files.remove_leftovers() == 1
    assert on_disk(tmp_path) == [f"{INCOMING}/just now", KEY]


def age(path: Path, clock: FixedClock, by: timedelta) -> None:
    """Have the file, or the folder, last written that long ago."""
    then = (clock.now() - by).timestamp()
    os.utime(path, (then, then))


def test_an_upload_that_was_never_moved_is_removed_after_its_retention(
    files: LocalFiles, tmp_path: Path, clock: FixedClock
) -> None:
    second = timedelta(seconds=1)
    for name, by in (("imports/old.csv", UPLOAD_RETENTION + second), ("imports/young.csv", UPLOAD_RETENTION - second)):
        store(files, upload_key(name), b"1234")
        store(files, name, b"1234")
        age(tmp_path / upload_key(name), clock, by)
        age(tmp_path / name, clock, by)

    assert files.remove_leftovers() == 1

    assert on_disk(tmp_path) == ["imports/old.csv", "imports/young.csv", "uploads/imports/young.csv"]
    assert files.remove_leftovers() == 0


def test_empty_folders_of_uploads_are_removed_after_the_retention(
    files: LocalFiles, tmp_path: Path, clock: FixedClock
) -> None:
    second = timedelta(seconds=1)
    for name, by in (("old", UPLOAD_RETENTION + second), ("young", UPLOAD_RETENTION - second)):
        store(files, upload_key(f"images/{name}/picture"), b"1234")
        files.move(upload_key(f"images/{name}/picture"), f"images/{name}/picture")
        age(tmp_path / UPLOADS / "images" / name, clock, by)
    store(files, upload_key("images/full/picture"), b"1234")
    age(tmp_path / UPLOADS / "images/full", clock, UPLOAD_RETENTION + second)
    age(tmp_path / UPLOADS / "images/full/picture", clock, -second)

    assert files.remove_leftovers() == 0

    assert sorted(path.name for path in (tmp_path / UPLOADS / "images").iterdir()) == ["full", "young"]
    assert files.size("images/old/picture") == 4


def test_a_moved_file_is_at_its_new_key_only(files: LocalFiles, tmp_path: Path) -> None:
    send(
        files,
        query_of(files.sign_upload(upload_key(KEY), content_type="text/csv", size=4, ttl=HOUR).url),
        b"1234",
        key=upload_key(KEY),
    )

    files.move(upload_key(KEY), KEY)

    assert on_disk(tmp_path) == [KEY]
    assert (tmp_path / KEY).read_bytes() == b"1234"
