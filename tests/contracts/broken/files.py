"""Broken file storages: some in memory, and some in a folder."""

import io
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from adapters.local.files import LocalFiles
from tests.contracts.broken.making import Port, doing_nothing, returning, with_methods
from unite_core.clock import Clock
from unite_core.errors import NotFound
from unite_core.testing.contracts import FilesContract, SignedFilesContract
from unite_core.testing.in_memory import FixedClock, InMemoryFiles

SECRETS = {"a": b"a" * 32}


def suite_in_memory(make: Callable[[Clock], Any]) -> type:
    class Suite(SignedFilesContract, FilesContract):
        in_memory = True

        @pytest.fixture
        def files(self, clock: FixedClock) -> Any:
            return make(clock)

        @pytest.fixture
        def signed_files(self, files: Any) -> Any:
            return files

        @pytest.fixture
        def stored(self, files: Any) -> Callable[[], Collection[str]]:
            keys: Callable[[], Collection[str]] = files.keys
            return keys

    return Suite


def suite_in_a_folder(make: Callable[..., LocalFiles]) -> type:
    class Suite(SignedFilesContract, FilesContract):
        @pytest.fixture
        def files(self, clock: FixedClock, tmp_path: Path) -> LocalFiles:
            return make(tmp_path, public_url="https://unite.example", secrets_by_kid=SECRETS, clock=clock)

        @pytest.fixture
        def signed_files(self, files: LocalFiles) -> LocalFiles:
            return files

        @pytest.fixture
        def stored(self, tmp_path: Path) -> Callable[[], Collection[str]]:
            return lambda: [str(path) for path in tmp_path.rglob("*") if path.is_file()]

    return Suite


def _renamed(rename: Callable[[str], str]) -> Any:
    """Return a storage that has its files under other keys than those that it is given."""

    def renamed(name: str) -> Callable[..., Any]:
        original = getattr(InMemoryFiles, name)
        return lambda self, key, *given, **named: original(self, rename(key), *map(rename, given), **named)

    names = ("size", "read", "write", "move", "delete")
    return with_methods(InMemoryFiles, **{name: renamed(name) for name in names})


def _content(change: Callable[[bytes], bytes]) -> Any:
    """Return a storage that stores something else than what is written."""

    @contextmanager
    def write(self: Any, key: str, *, content_type: str) -> Iterator[BinaryIO]:
        with InMemoryFiles.write(self, key, content_type=content_type) as target, io.BytesIO() as stream:
            yield stream
            target.write(change(stream.getvalue()))

    return with_methods(InMemoryFiles, write=write)


def _living(name: str, times: float) -> Any:
    original = getattr(InMemoryFiles, name)
    return with_methods(
        InMemoryFiles,
        **{name: lambda self, key, *, ttl, **named: original(self, key, ttl=times * ttl, **named)},
    )


def _lying(name: str) -> Any:
    """Return a storage whose links live ten times as long as they say."""
    original = getattr(InMemoryFiles, name)

    def sign(self: Any, key: str, *, ttl: timedelta, **named: Any) -> Any:
        return replace(original(self, key, ttl=10 * ttl, **named), expires_at=self._clock.now() + ttl)

    return with_methods(InMemoryFiles, **{name: sign})


class _AtOnce(InMemoryFiles):
    @contextmanager
    def write(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:  # noqa: ARG002 - as in the original
        self._contents[key] = b""
        with io.BytesIO() as stream:
            yield stream
            self._contents[key] = stream.getvalue()


class _HalfOnError(InMemoryFiles):
    @contextmanager
    def write(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:  # noqa: ARG002 - as in the original
        with io.BytesIO() as stream:
            try:
                yield stream
            finally:
                self._contents[key] = stream.getvalue()


class _GoneOnError(InMemoryFiles):
    @contextmanager
    def write(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:
        try:
            with InMemoryFiles.write(self, key, content_type=content_type) as stream:
                yield stream
        except BaseException:
            self._contents.pop(key, None)
            raise


class _Swallowing(InMemoryFiles):
    @contextmanager
    def write(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:
        try:
            with InMemoryFiles.write(self, key, content_type=content_type) as stream:
                yield stream
        except ZeroDivisionError:
            pass


class _OneStream(InMemoryFiles):
    """Its readers of a file share a stream."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._streams: dict[tuple[str, bytes], io.BytesIO] = {}

    @contextmanager
    def read(self, key: str) -> Iterator[BinaryIO]:
        if key not in self._contents:
            raise NotFound("There is no such file.")
        content = self._contents[key]
        stream = self._streams.setdefault((key, content), io.BytesIO(content))
        yield stream
        if stream.tell() == len(content):
            stream.seek(0)


class _Draft(LocalFiles):
    """Writes a file to a draft, whose name each of these storages makes in its own way."""

    leaves_failed = False
    leaves_written = False

    def draft(self, target: Path) -> Path:
        self.drafts = getattr(self, "drafts", 0) + 1
        return target.with_name(f"{target.name}.draft{self.drafts}")

    @contextmanager
    def write(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:  # noqa: ARG002 - as in the original
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = self.draft(target)
        try:
            with draft.open("wb") as stream:
                yield stream
        except BaseException:
            if not self.leaves_failed:
                draft.unlink(missing_ok=True)
            raise
        if self.leaves_written:
            target.write_bytes(draft.read_bytes())
        else:
            draft.replace(target)


class _DraftsOfExceptions(_Draft):
    """Deletes the drafts of errors, but not those of other exceptions, such as an interrupt."""

    @contextmanager
    def write(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:  # noqa: ARG002 - as in the original
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = self.draft(target)
        try:
            with draft.open("wb") as stream:
                yield stream
            draft.replace(target)
        except Exception:
            draft.unlink(missing_ok=True)
            raise


class _WholeWrite(LocalFiles):
    @contextmanager
    def write(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:
        with io.BytesIO() as stream:
            yield stream
            with LocalFiles.write(self, key, content_type=content_type) as target:
                target.write(stream.getvalue())


class _WholeRead(LocalFiles):
    @contextmanager
    def read(self, key: str) -> Iterator[BinaryIO]:
        with LocalFiles.read(self, key) as stream:
            content = stream.read()
        yield io.BytesIO(content)


class _WholeMove(LocalFiles):
    def move(self, key: str, to: str) -> None:
        with LocalFiles.read(self, key) as source:
            content = source.read()
        with LocalFiles.write(self, to, content_type="text/csv") as target:
            target.write(content)
        self.delete(key)


class _InPlace(LocalFiles):
    @contextmanager
    def write(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:  # noqa: ARG002 - as in the original
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as stream:
            yield stream


def _move_and(after: Callable[[InMemoryFiles, str, str, bytes], None]) -> Any:
    def move(self: InMemoryFiles, key: str, to: str) -> None:
        content = self._contents.get(key, b"")
        InMemoryFiles.move(self, key, to)
        after(self, key, to, content)

    return with_methods(InMemoryFiles, move=move)


def _receiving(change: Callable[[Any, str, dict[str, str]], dict[str, Any]]) -> Any:
    """Return a storage that receives an upload as if other things were announced."""

    def receive(self: Any, key: str, query: dict[str, str], **named: Any) -> None:
        InMemoryFiles.receive(self, key, query, **{**named, **change(self, key, query)})

    return with_methods(InMemoryFiles, receive=receive)


def _move_missing(self: InMemoryFiles, key: str, to: str) -> None:
    self._contents[to] = self._contents.pop(key, b"")


@contextmanager
def _appending(self: InMemoryFiles, key: str, *, content_type: str) -> Iterator[BinaryIO]:
    before = self._contents.get(key, b"")
    with InMemoryFiles.write(self, key, content_type=content_type) as stream:
        stream.write(before)
        yield stream


def _receive_any(
    self: InMemoryFiles, key: str, query: dict[str, str], content_type: str | None, size: int | None, body: BinaryIO
) -> None:
    content = body.read().ljust(int(query.get("size", 0)))
    InMemoryFiles.receive(self, key, query, content_type=content_type, size=size, body=io.BytesIO(content))


@contextmanager
def _read_any(self: InMemoryFiles, key: str) -> Iterator[BinaryIO]:
    yield io.BytesIO(self._contents.get(key, b""))


IN_MEMORY = Port(
    name="Files",
    suite=suite_in_memory,
    right=InMemoryFiles,
    broken={
        "delete does nothing": doing_nothing(InMemoryFiles, "delete"),
        "move does nothing": doing_nothing(InMemoryFiles, "move"),
        "a file appears when it is opened": _AtOnce,
        "an exception leaves half a file": _HalfOnError,
        "an exception deletes the file before": _GoneOnError,
        "an exception does not pass": _Swallowing,
        "a missing file is empty": with_methods(InMemoryFiles, read=_read_any),
        "a missing file has the size 0": returning(InMemoryFiles, "size", lambda size: size or 0),
        "an empty file has no size": returning(InMemoryFiles, "size", lambda size: size or None),
        "an empty file is not stored": with_methods(
            InMemoryFiles, size=lambda self, key: len(self._contents.get(key, b"")) or None
        ),
        "a moved file stays at its old key": _move_and(
            lambda self, key, _, content: self._contents.__setitem__(key, content)
        ),
        "a moved file loses its last byte": _move_and(
            lambda self, _, to, content: self._contents.__setitem__(to, content[:-1])
        ),
        "a missing file can be moved": with_methods(InMemoryFiles, move=_move_missing),
        "a moved file does not replace another": with_methods(
            InMemoryFiles,
            move=lambda self, key, to: (
                self._contents.pop(key) if to in self._contents else InMemoryFiles.move(self, key, to)
            ),
        ),
        "a missing file cannot be deleted": with_methods(
            InMemoryFiles, delete=lambda self, key: self._contents.__delitem__(key)
        ),
        "deleting a file deletes those whose keys begin with its key": with_methods(
            InMemoryFiles,
            delete=lambda self, key: (
                [self._contents.pop(it) for it in [*self._contents] if it.startswith(key)] and None
            ),
        ),
        "deleting a file deletes its upload": with_methods(
            InMemoryFiles,
            delete=lambda self, key: [self._contents.pop(it, None) for it in (key, f"uploads/{key}")] and None,
        ),
        "upload links live ten times as long": _living("sign_upload", 10),
        "download links live ten times as long": _living("sign_download", 10),
        "upload links live half as long": _living("sign_upload", 0.5),
        "download links live ten times as long as they say": _lying("sign_download"),
        "upload links live ten times as long as they say": _lying("sign_upload"),
        "upload links tell no time zone": returning(
            InMemoryFiles,
            "sign_upload",
            lambda it: replace(it, expires_at=it.expires_at.replace(tzinfo=None)),
        ),
        "keys have no folders": _renamed(lambda key: key.replace("/", "-")),
        "keys have no suffix": _renamed(lambda key: key.partition(".")[0]),
        "keys are names without their folders": _renamed(lambda key: key.rpartition("/")[2]),
        "keys have underscores for every other sign": _renamed(
            lambda key: "".join(it if it.isalnum() else "_" for it in key)
        ),
        "line ends are changed": _content(lambda content: content.replace(b"\r\n", b"\n")),
        "files are texts": _content(lambda content: content.decode("utf-8", "replace").encode()),
        "files are cut": _content(lambda content: content[:10]),
        "a file written again has both contents": with_methods(InMemoryFiles, write=_appending),
        "readers share a position": _OneStream,
        "links are not verified": with_methods(InMemoryFiles, _check=lambda *_: None),
        "an upload may have any type": _receiving(lambda _, __, query: {"content_type": query.get("content_type")}),
        "an announced size is not compared": _receiving(lambda *_: {"size": None}),
        "an upload may be shorter": with_methods(
            InMemoryFiles,
            receive=lambda self, key, query, *, content_type, size, body: _receive_any(
                self, key, query, content_type, size, body
            ),
        ),
    },
)


IN_A_FOLDER = Port(
    name="FilesInAFolder",
    suite=suite_in_a_folder,
    right=LocalFiles,
    broken={
        "a file is whole in memory while it is written": _WholeWrite,
        "a file is whole in memory while it is read": _WholeRead,
        "a file is whole in memory while it is moved": _WholeMove,
        "an exception leaves the draft": with_methods(_Draft, leaves_failed=True),
        "an interrupt leaves the draft": _DraftsOfExceptions,
        "a written file leaves the draft": with_methods(_Draft, leaves_written=True),
        "two writers of a file have one draft": with_methods(
            _Draft, draft=lambda _, target: target.with_name(f"{target.name}.draft")
        ),
        "two writers of a folder have one draft": with_methods(
            _Draft, draft=lambda _, target: target.with_name(".draft")
        ),
        "all writers have one draft": with_methods(_Draft, draft=lambda self, _: self._folder / ".draft"),
        "files are written in place": _InPlace,
    },
)
