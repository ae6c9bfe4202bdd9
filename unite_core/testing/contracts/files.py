"""Contract tests of file storage and of its signed links."""

import hashlib
import io
import tracemalloc
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from unite_core.clock import Clock
from unite_core.errors import Forbidden, Invalid, NotFound, TooLarge, UniteError
from unite_core.files import Files, SignedFiles, upload_key
from unite_core.testing.builders import an_id
from unite_core.testing.contracts.missing import missing_fixture
from unite_core.testing.in_memory.clock_and_ids import FixedClock

_TYPE = "text/csv"
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
_MIB = 1024 * 1024

BIG_FILE_BYTES = 64 * _MIB
"""The size of a file of which at most half may be in memory."""

_STORED = (
    "a function that returns the names of everything that the storage holds, drafts and unfinished uploads included"
)


class FilesContract:
    """Derive a test class with fixtures `files`, which use `clock`, and `stored`."""

    in_memory: ClassVar[bool] = False
    """Whether the storage has its files in memory, as only one for tests does."""

    @pytest.fixture
    def clock(self) -> Clock:
        """Return the clock of `files`."""
        return FixedClock()

    @pytest.fixture
    def files(self, clock: Clock) -> Files:
        """Return the file storage under test."""
        raise missing_fixture(self, "files", "the `Files` under test, which use `clock`")

    @pytest.fixture
    def stored(self, files: Files) -> Callable[[], Collection[str]]:
        """Return a function that returns the names of everything that the storage holds, drafts included."""
        raise missing_fixture(self, "stored", _STORED)

    @pytest.fixture
    def key(self) -> str:
        """Return a key that no file has."""
        return f"imports/{an_id()}.csv"

    def test_written_bytes_are_read_back(self, files: Files, key: str) -> None:
        with files.write(key, content_type=_TYPE) as stream:
            stream.write(b"Name,Phone\r\n")
            stream.write(b"\x00\xff")

        with files.read(key) as stream:
            assert (stream.read(4), stream.read()) == (b"Name", b",Phone\r\n\x00\xff")
        assert files.size(key) == 14

    def test_a_missing_file_has_no_size_and_cannot_be_read(self, files: Files, key: str) -> None:
        assert files.size(key) is None
        with pytest.raises(NotFound):
            files.read(key).__enter__()

    def test_an_empty_file_is_a_file(self, files: Files, key: str) -> None:
        write(files, key, b"")

        assert files.size(key) == 0

    def test_a_file_appears_whole_at_the_end_of_the_block(self, files: Files, key: str) -> None:
        with files.write(key, content_type=_TYPE) as stream:
            stream.write(b"half")
            assert files.size(key) is None
        assert files.size(key) == 4

    def test_a_file_replaces_an_existing_one(self, files: Files, key: str) -> None:
        write(files, key, b"the first, which is longer")

        write(files, key, b"the second")

        assert _content(files, key) == b"the second"

    def test_an_exception_in_the_block_writes_nothing(self, files: Files, key: str) -> None:
        other = f"{key}.other"
        write(files, key, b"as before")
        for path in (key, other):
            with pytest.raises(ZeroDivisionError), files.write(path, content_type=_TYPE) as stream:
                stream.write(b"half")
                raise ZeroDivisionError

        assert _content(files, key) == b"as before"
        assert files.size(other) is None

    def test_files_that_may_be_needed_are_not_removed_as_leftovers(self, files: Files, key: str) -> None:
        write(files, key, b"stored")
        write(files, upload_key(key), b"uploaded")

        with files.write(f"{key}.other", content_type=_TYPE) as stream:
            stream.write(b"being written")
            assert files.remove_leftovers() == 0

        assert [_content(files, each) for each in (key, upload_key(key), f"{key}.other")] == [
            b"stored",
            b"uploaded",
            b"being written",
        ]

    @pytest.mark.parametrize("content", [b"the file\x00", b""], ids=["a file", "an empty one"])
    def test_a_moved_file_is_at_its_new_key_alone(self, files: Files, key: str, content: bytes) -> None:
        write(files, f"uploads/{key}", content)

        files.move(f"uploads/{key}", key)

        assert _content(files, key) == content
        assert files.size(f"uploads/{key}") is None

    def test_a_moved_file_replaces_an_existing_one(self, files: Files, key: str) -> None:
        write(files, key, b"the first, which is longer")
        write(files, f"{key}.other", b"the second")

        files.move(f"{key}.other", key)

        assert _content(files, key) == b"the second"

    def test_moving_a_missing_file_changes_nothing(self, files: Files, key: str) -> None:
        write(files, key, b"as before")

        with pytest.raises(NotFound):
            files.move(f"{key}.other", key)

        assert _content(files, key) == b"as before"
        assert files.size(f"{key}.other") is None

    def test_a_moved_file_can_be_moved_and_its_old_key_written_again(self, files: Files, key: str) -> None:
        write(files, f"uploads/{key}", b"one")
        files.move(f"uploads/{key}", key)
        with pytest.raises(NotFound):
            files.move(f"uploads/{key}", key)
        write(files, f"uploads/{key}", b"two")

        assert (_content(files, key), _content(files, f"uploads/{key}")) == (b"one", b"two")

    def test_a_deleted_file_is_gone_and_deleting_it_again_is_no_error(self, files: Files, key: str) -> None:
        write(files, key, b"something")

        files.delete(key)
        files.delete(key)

        assert files.size(key) is None

    def test_a_signed_link_has_an_expiry(self, files: Files, key: str) -> None:
        upload = files.sign_upload(key, content_type=_TYPE, size=5, ttl=_MINUTE)
        download = files.sign_download(key, filename="leads.csv", content_type=_TYPE, ttl=2 * _MINUTE)

        assert upload.method in ("PUT", "POST")
        assert download.expires_at - upload.expires_at >= _MINUTE - _SECOND
        assert upload.expires_at.utcoffset() == download.expires_at.utcoffset() == timedelta()

    @pytest.mark.parametrize("ttl", [5 * _SECOND, _MINUTE, timedelta(hours=1)], ids=str)
    def test_a_signed_link_expires_after_its_ttl(self, files: Files, key: str, clock: Clock, ttl: timedelta) -> None:
        before = clock.now()
        expiries: list[datetime] = [
            files.sign_upload(key, content_type=_TYPE, size=5, ttl=ttl).expires_at,
            files.sign_download(key, filename="leads.csv", content_type=_TYPE, ttl=ttl).expires_at,
        ]
        after = clock.now()

        # A storage may round to seconds.
        assert all(before + ttl - _SECOND <= expiry <= after + ttl for expiry in expiries)

    def test_similar_keys_are_those_of_different_files(self, files: Files, key: str) -> None:
        keys = [key, upload_key(key), f"{key}.other", key.removesuffix(".csv"), key.replace("/", "-")]
        keys += [key.replace("/", "_"), key.replace("/", "."), f"{key}2", f"images/{key}"]
        for each in keys:
            write(files, each, each.encode())

        assert [_content(files, each) for each in keys] == [each.encode() for each in keys]
        for number, each in enumerate(keys):
            files.delete(each)
            assert [files.size(other) for other in keys[: number + 1]] == [None] * (number + 1)
            assert [_content(files, other) for other in keys[number + 1 :]] == [
                it.encode() for it in keys[number + 1 :]
            ]

    def test_a_file_is_as_before_while_it_is_being_replaced(self, files: Files, key: str) -> None:
        write(files, key, b"as before")

        with files.write(key, content_type=_TYPE) as stream:
            stream.write(b"half")
            assert _content(files, key) == b"as before"
            assert files.size(key) == 9
            stream.write(b", and the other half")

        assert _content(files, key) == b"half, and the other half"

    def test_two_readers_do_not_disturb_each_other(self, files: Files, key: str) -> None:
        write(files, key, b"0123456789")

        with files.read(key) as first, files.read(key) as second:
            assert (first.read(4), second.read(2), first.read(), second.read()) == (
                b"0123",
                b"01",
                b"456789",
                b"23456789",
            )

    def test_two_writers_of_a_file_do_not_disturb_each_other(self, files: Files, key: str) -> None:
        with files.write(key, content_type=_TYPE) as first:
            first.write(b"the first, ")
            with files.write(key, content_type=_TYPE) as second:
                second.write(b"the second")
                first.write(b"which is longer, ")
            assert _content(files, key) == b"the second"
            first.write(b"and ends last")

        assert _content(files, key) == b"the first, which is longer, and ends last"

    def test_a_writer_that_fails_leaves_another_one_of_the_same_file(self, files: Files, key: str) -> None:
        with files.write(key, content_type=_TYPE) as first:
            first.write(b"the first")
            with pytest.raises(ZeroDivisionError), files.write(key, content_type=_TYPE) as second:
                second.write(b"the second, which fails")
                raise ZeroDivisionError
            assert files.size(key) is None

        assert _content(files, key) == b"the first"

    def test_two_writers_of_different_files_do_not_disturb_each_other(self, files: Files, key: str) -> None:
        other = f"{key}.other"
        with files.write(key, content_type=_TYPE) as first, files.write(other, content_type=_TYPE) as second:
            first.write(b"the first")
            second.write(b"the second")

        assert (_content(files, key), _content(files, other)) == (b"the first", b"the second")

    def test_nothing_is_left_but_the_files(self, files: Files, key: str, stored: Callable[[], Collection[str]]) -> None:
        before = len(stored())

        def left() -> int:
            return len(stored()) - before

        for _ in range(2):
            write(files, key, b"something")
            assert left() == 1
        for path in (key, f"{key}.other"):
            with pytest.raises(ZeroDivisionError), files.write(path, content_type=_TYPE) as stream:
                stream.write(bytes(9 * _MIB))
                raise ZeroDivisionError
            with pytest.raises(KeyboardInterrupt), files.write(path, content_type=_TYPE):
                raise KeyboardInterrupt
            assert left() == 1
        write(files, f"{key}.other", bytes(9 * _MIB))
        assert left() == 2
        files.move(f"{key}.other", key)
        assert left() == 1
        files.delete(key)
        assert left() == 0

    def test_a_big_file_is_never_whole_in_memory(self, files: Files, key: str) -> None:
        if self.in_memory:
            return
        block = bytes(range(256)) * (_MIB // 256)
        sent, received = hashlib.sha256(), hashlib.sha256()

        with _memory_within(BIG_FILE_BYTES // 2):
            with files.write(upload_key(key), content_type=_TYPE) as stream:
                for _ in range(BIG_FILE_BYTES // _MIB):
                    stream.write(block)
                    sent.update(block)
            files.move(upload_key(key), key)
            with files.read(key) as stream:
                while block := stream.read(_MIB):
                    received.update(block)

        assert files.size(key) == BIG_FILE_BYTES
        assert received.digest() == sent.digest()
        files.delete(key)


class SignedFilesContract:
    """Derive a test class with fixtures `files`, which use `clock`, `signed_files` for their links, and `stored`."""

    @pytest.fixture
    def clock(self) -> FixedClock:
        """Return the clock of `files` and `signed_files`."""
        return FixedClock()

    @pytest.fixture
    def files(self, clock: FixedClock) -> Files:
        """Return the file storage that signs the links."""
        raise missing_fixture(self, "files", "the `Files` under test")

    @pytest.fixture
    def signed_files(self, files: Files) -> SignedFiles:
        """Return the receiver of the links, which is under test."""
        raise missing_fixture(
            self, "signed_files", "the `SignedFiles` under test, which receive the links that `files` sign"
        )

    @pytest.fixture
    def stored(self, files: Files) -> Callable[[], Collection[str]]:
        """Return a function that returns the names of everything that the storage holds, drafts included."""
        raise missing_fixture(self, "stored", _STORED)

    @pytest.fixture
    def key(self) -> str:
        """Return a key that no file has."""
        return f"imports/{an_id()}.csv"

    def test_an_upload_as_signed_is_stored(self, files: Files, signed_files: SignedFiles, key: str) -> None:
        url = _upload(files, key, size=5)

        for content in (b"12345", b"54321"):  # once, or again
            signed_files.receive(key, _query(url), content_type=_TYPE, size=5, body=io.BytesIO(content))
            assert _content(files, key) == content
        signed_files.receive(key, _query(url), content_type=_TYPE, size=None, body=io.BytesIO(b"abcde"))
        assert _content(files, key) == b"abcde"

    def test_a_link_names_the_key(self, files: Files, key: str) -> None:
        assert unquote(urlsplit(_upload(files, key)).path).endswith(key)
        assert unquote(urlsplit(_download(files, key)).path).endswith(key)

    @pytest.mark.parametrize(
        ("announced", "content", "error"),
        [
            (4, b"1234", Invalid),
            (4, b"12345", Invalid),
            (6, b"12345", TooLarge),
            (6, b"123456", TooLarge),
            (5, b"1234", Invalid),
            (5, b"123456", TooLarge),
            (None, b"1234", Invalid),
            (None, b"123456", TooLarge),
            (None, b"", Invalid),
        ],
    )
    def test_an_upload_of_another_size_is_refused(
        self,
        files: Files,
        signed_files: SignedFiles,
        key: str,
        announced: int | None,
        content: bytes,
        error: type[UniteError],
    ) -> None:
        query = _query(_upload(files, key, size=5))

        with pytest.raises(error):
            signed_files.receive(key, query, content_type=_TYPE, size=announced, body=io.BytesIO(content))

        assert files.size(key) is None

    @pytest.mark.parametrize("content_type", ["text/html", "", None])
    def test_an_upload_of_another_type_is_refused(
        self, files: Files, signed_files: SignedFiles, key: str, content_type: str | None
    ) -> None:
        query = _query(_upload(files, key, size=5))

        with pytest.raises(Invalid):
            signed_files.receive(key, query, content_type=content_type, size=5, body=io.BytesIO(b"12345"))

        assert files.size(key) is None

    def test_an_upload_that_is_refused_or_breaks_off_leaves_nothing(
        self, files: Files, signed_files: SignedFiles, key: str, stored: Callable[[], Collection[str]]
    ) -> None:
        write(files, key, b"as before")
        before = sorted(stored())
        query = _query(_upload(files, key, size=5))

        for body in (io.BytesIO(b"1234"), io.BytesIO(b"123456"), _Interrupted(b"12", _fail)):
            with pytest.raises((Invalid, TooLarge, ZeroDivisionError)):
                signed_files.receive(key, query, content_type=_TYPE, size=None, body=body)
            assert sorted(stored()) == before
            assert _content(files, key) == b"as before"

    def test_two_uploads_of_a_file_do_not_disturb_each_other(
        self, files: Files, signed_files: SignedFiles, key: str
    ) -> None:
        query = _query(_upload(files, key, size=5))
        seen = []

        def upload_another() -> bytes:
            signed_files.receive(key, query, content_type=_TYPE, size=5, body=io.BytesIO(b"other"))
            seen.append(_content(files, key))
            return b"345"

        body = _Interrupted(b"12", upload_another)
        signed_files.receive(key, query, content_type=_TYPE, size=5, body=body)

        assert (seen, _content(files, key)) == ([b"other"], b"12345")

    def test_a_download_as_signed_is_served(self, files: Files, signed_files: SignedFiles, key: str) -> None:
        write(files, key, b"12345")
        url = _download(files, key, filename="Żółć & 100% =1+1.csv")

        served = signed_files.serve(key, _query(url))

        with served.body:
            assert served.body.read() == b"12345"
        assert (served.size, served.content_type, served.filename) == (5, _TYPE, "Żółć & 100% =1+1.csv")

    def test_a_deleted_file_is_not_found(self, files: Files, signed_files: SignedFiles, key: str) -> None:
        with pytest.raises(NotFound):
            signed_files.serve(key, _query(_download(files, key)))

    def test_a_link_expires(self, files: Files, signed_files: SignedFiles, key: str, clock: FixedClock) -> None:
        write(files, key, b"as before")
        upload, download = _query(_upload(files, key, size=5)), _query(_download(files, key))
        clock.advance(_MINUTE - _SECOND)
        with signed_files.serve(key, download).body:
            pass
        clock.advance(_SECOND)

        with pytest.raises(Forbidden) as sent:
            signed_files.receive(key, upload, content_type=_TYPE, size=5, body=io.BytesIO(b"12345"))
        with pytest.raises(Forbidden) as fetched:
            signed_files.serve(key, download)

        assert (sent.value.code, fetched.value.code) == ("link_expired", "link_expired")
        assert _content(files, key) == b"as before"

    def test_a_link_with_any_term_changed_left_out_or_added_is_refused(
        self, files: Files, signed_files: SignedFiles, key: str
    ) -> None:
        upload, download = _query(_upload(files, key, size=5)), _query(_download(files, key))

        for query in _tampered(upload):
            with pytest.raises(Forbidden) as refused:
                signed_files.receive(key, query, content_type=_TYPE, size=5, body=io.BytesIO(b"12345"))
            assert refused.value.code == "invalid_signature"
        for query in _tampered(download):
            with pytest.raises(Forbidden) as refused:
                signed_files.serve(key, query)
            assert refused.value.code == "invalid_signature"

    def test_a_link_is_valid_for_its_key_and_purpose_alone(
        self, files: Files, signed_files: SignedFiles, key: str
    ) -> None:
        write(files, key, b"as before")
        write(files, f"{key}.other", b"the other")
        upload, download = _query(_upload(files, key, size=5)), _query(_download(files, key))

        for path, query in ((f"{key}.other", upload), (key, download)):
            with pytest.raises(Forbidden):
                signed_files.receive(path, query, content_type=_TYPE, size=5, body=io.BytesIO(b"12345"))
        for path, query in ((f"{key}.other", download), (key, upload)):
            with pytest.raises(Forbidden):
                signed_files.serve(path, query)
        assert _content(files, key) == b"as before"


class _Interrupted(io.BytesIO):
    """A body whose beginning comes at once; then `rest` is called, and returns the rest."""

    def __init__(self, beginning: bytes, rest: Callable[[], bytes]) -> None:
        super().__init__(beginning)
        self._rest: Callable[[], bytes] | None = rest

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        missing = -1 if size is None or size < 0 else size - len(block)
        if self._rest is None or not missing:
            return block
        rest, self._rest = self._rest, None
        position = self.tell()
        self.write(rest())
        self.seek(position)
        return block + super().read(missing)


def _fail() -> bytes:
    raise ZeroDivisionError


@contextmanager
def _memory_within(limit: int) -> Iterator[None]:
    """Check that at most `limit` bytes are allocated at once inside the block."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= limit


def write(files: Files, key: str, content: bytes) -> None:
    """Store a file."""
    with files.write(key, content_type=_TYPE) as stream:
        stream.write(content)


def _content(files: Files, key: str) -> bytes:
    with files.read(key) as stream:
        return stream.read()


def _upload(files: Files, key: str, size: int = 5) -> str:
    return files.sign_upload(key, content_type=_TYPE, size=size, ttl=_MINUTE).url


def _download(files: Files, key: str, filename: str = "leads.csv") -> str:
    return files.sign_download(key, filename=filename, content_type=_TYPE, ttl=_MINUTE).url


def _query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def _tampered(query: dict[str, str]) -> list[dict[str, str]]:
    changed = [{**query, name: value + "0"} for name, value in query.items()]
    without = [{other: value for other, value in query.items() if other != name} for name in query]
    return [*changed, *without, {}, {**query, "more": "terms"}]
