"""Fuzz target for multipart forms. The first byte chooses the boundary; parts are read whole and in blocks."""

import io
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, BinaryIO, cast
from uuid import UUID

from entrypoints.http.framework.multipart import MAX_FORM_PARTS, parts_of
from entrypoints.http.imports.form import ImportForm
from tests.core.imports.uploads import ANN, Drip
from tests.fuzz.target import Target
from unite_core.errors import UniteError
from unite_core.identity.model import Actor, Role
from unite_core.imports.use_cases import StoredFile

_BOUNDARIES = ("b", "----WebKitFormBoundaryA", "a+b(c)?", "é", "-", "x" * 70, " ", "\r")
_ACTOR = Actor(user_id=ANN, role=Role.MANAGER, session_id=UUID(int=1))


def check(data: bytes) -> None:
    boundary, body = _BOUNDARIES[(data[:1] or b"\0")[0] % len(_BOUNDARIES)], data[1:]
    whole = _parts(io.BytesIO(body), boundary)
    assert whole == _parts(cast("IO[bytes]", Drip(body, 3)), boundary)
    assert len(whole) <= MAX_FORM_PARTS + 1
    with suppress(UniteError):
        form = ImportForm(_store, _ACTOR).read(io.BytesIO(body), boundary)
        assert "/" not in form.filename
        assert "\\" not in form.filename


def _parts(body: IO[bytes], boundary: str) -> list[tuple[str, str | None, bytes] | str]:
    """Return the parts that can be read, and the code of the error after them."""
    results: list[tuple[str, str | None, bytes] | str] = []
    try:
        results.extend((part.name, part.filename, part.stream.read()) for part in parts_of(body, boundary))
    except UniteError as error:
        results.append(error.code)
    return results


def _store(_actor: Actor, stream: BinaryIO) -> StoredFile:
    return StoredFile(import_id=ANN, key="imports/key", size=len(stream.read()), sha256="0" * 64)


def _seeds() -> Iterator[bytes]:
    head = (
        b'\0--b\r\nContent-Disposition: form-data; name="file"; filename="leads.csv"\r\nContent-Type: text/csv\r\n\r\n'
    )
    options = b'\r\n--b\r\nContent-Disposition: form-data; name="options"\r\n\r\n{"dry_run": true}\r\n--b--\r\n'
    yield from (head + b"Name,Email\nAda,ada@example.com\n" + options, head + b"x\r\n--b--\r\n", b"\0--b--\r\n")
    yield head.replace(b'"leads.csv"', b"C:\\x\\leads.csv") + b"x" + options


target = Target(
    name="multipart_form",
    check=check,
    seeds=_seeds,
    tokens=(
        *(b"--", b"\r\n", b"\n", b"\r", b"--b", b"--b--", b"--b\r\n", b"\r\n--b\r\n", b"\r\n--b--\r\n", b"\r\n\r\n"),
        *(
            b"Content-Disposition: form-data; ",
            b'name="file"',
            b'; name="options"',
            b'; filename="a.csv"',
            b"; filename=",
        ),
        *(b"filename*=UTF-8''a%20b", b"filename*0=a; filename*1=b", b"Content-Type: text/csv", b'"', b"\\", b"/", b";"),
        *(
            b"=",
            b"%",
            b"''",
            b"utf-16''",
            b"{}",
            b'{"columns": {}}',
            b"\0",
            b"\xff",
            b"\xc3\xa9",
            b"x" * 60,
            b"../",
            b":",
        ),
        *(b" ", b"\t", b"Content-Transfer-Encoding: base64", b"Content-Length: 5", b"rot13''x", b"idna''xn--"),
    ),
)
