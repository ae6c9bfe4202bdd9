"""Contract tests of file storage and of its signed links."""

import io
from abc import abstractmethod
from datetime import timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from unite_core.errors import Forbidden, Invalid, NotFound, TooLarge, UniteError
from unite_core.files import Files, SignedFiles
from unite_core.testing.builders import an_id
from unite_core.testing.in_memory.clock_and_ids import FixedClock

_TYPE = "text/csv"
_MINUTE = timedelta(minutes=1)


class FilesContract:
    """Derive a test class with a fixture `files`."""

    @pytest.fixture
    @abstractmethod
    def files(self) -> Files:
        """Return the file storage under test."""

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
        assert download.expires_at - upload.expires_at >= _MINUTE - timedelta(seconds=1)
        assert upload.expires_at.utcoffset() == download.expires_at.utcoffset() == timedelta()


class SignedFilesContract:
    """Derive a test class with fixtures `files`, which use `clock`, and `signed_files` for their links."""

    @pytest.fixture
    def clock(self) -> FixedClock:
        """Return the clock of `files` and `signed_files`."""
        return FixedClock()

    @pytest.fixture
    @abstractmethod
    def files(self, clock: FixedClock) -> Files:
        """Return the file storage that signs the links."""

    @pytest.fixture
    @abstractmethod
    def signed_files(self, files: Files) -> SignedFiles:
        """Return the receiver of the links, which is under test."""

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
        clock.advance(_MINUTE - timedelta(seconds=1))
        with signed_files.serve(key, download).body:
            pass
        clock.advance(timedelta(seconds=1))

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
