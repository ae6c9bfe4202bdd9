"""Tests of uploading and importing a file by a multipart form."""

import hashlib
import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast
from uuid import UUID

import pytest

from adapters.local.files import LocalFiles
from entrypoints.http.framework.multipart import parts_of
from tests.core.imports.uploads import Drip
from tests.http.imports.scenario import (
    IMPORTS,
    TWO_LEADS,
    field_errors,
    form_part,
    import_scenario,
    json_of,
    list_leads,
    upload_file,
)
from tests.http.service import PUBLIC_URL, HttpScenario
from unite_core.errors import Malformed, Unavailable
from unite_core.imports.model import MAX_FILE_BYTES
from unite_core.testing.in_memory import FixedClock, InMemoryJobs

MEBIBYTE = 1024 * 1024


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    return form_part("edge", name, content, filename)


def send(
    scenario: HttpScenario, *parts: bytes, boundary: str = "edge", end: bytes = b"--edge--\r\n", **options: Any
) -> Any:
    return scenario.manager.post(
        f"{IMPORTS}/file",
        data=b"".join(parts) + end,
        content_type=f"multipart/form-data; boundary={boundary}",
        **options,
    )


def stored_files(scenario: HttpScenario) -> list[str]:
    return [key for key in scenario.service.ports.files._contents if key.startswith(("imports/", "uploads/"))]


def test_a_file_is_uploaded_and_imported_in_one_request(scenario: HttpScenario) -> None:
    uploaded = upload_file(scenario.manager, TWO_LEADS, options={"default_source": "Fair"})
    scenario.service.run_jobs()

    coming = json_of(uploaded)
    assert uploaded.status_code == 202
    assert uploaded.headers["Location"] == f"{IMPORTS}/{coming['id']}"
    assert coming["status"] == "queued"
    assert coming["size"] == len(TWO_LEADS)
    assert {lead["source"] for lead in list_leads(scenario.manager)} == {"fair"}


def test_the_options_may_come_before_the_file(scenario: HttpScenario) -> None:
    options, file = part("options", b'{"dry_run": true}'), part("file", TWO_LEADS, "leads.csv")

    before, after = send(scenario, options, file), send(scenario, file, options)

    assert json_of(before)["options"]["dry_run"] is True
    assert json_of(after)["id"] == json_of(before)["id"]


def test_the_same_file_returns_the_same_import(scenario: HttpScenario) -> None:
    first = upload_file(scenario.manager, TWO_LEADS)
    scenario.service.run_jobs()

    second = upload_file(scenario.manager, TWO_LEADS, filename="other.csv")

    assert json_of(second)["id"] == json_of(first)["id"]
    assert second.headers["Location"] == first.headers["Location"]
    assert json_of(second)["status"] == "completed"
    assert stored_files(scenario) == []


def test_the_same_file_with_other_options_is_another_import(scenario: HttpScenario) -> None:
    first, second = (
        upload_file(scenario.manager, TWO_LEADS),
        upload_file(scenario.manager, TWO_LEADS, options={"on_duplicate": "update"}),
    )

    assert json_of(second)["id"] != json_of(first)["id"]


@pytest.mark.parametrize(
    ("parts", "pointer", "code"),
    [
        ([], "/file", "required"),
        ([part("options", b"{}")], "/file", "required"),
        ([part("file", TWO_LEADS)], "/file", "no_filename"),
        ([part("file", TWO_LEADS, "")], "/file", "no_filename"),
        ([part("file", TWO_LEADS, "a.csv"), part("file", TWO_LEADS, "b.csv")], "/file", "repeated"),
        ([part("file", TWO_LEADS, "a.csv"), part("more", b"")], "/more", "unknown_field"),
        ([part("upload", TWO_LEADS, "a.csv")], "/upload", "unknown_field"),
        ([part("options", b"{}"), part("options", b"{}")], "/options", "repeated"),
        ([part("file", TWO_LEADS, "a.csv"), part("options", b"{")], "/options", "malformed_json"),
        ([part("file", TWO_LEADS, "a.csv"), part("options", b"\xff")], "/options", "malformed_json"),
        ([part("file", TWO_LEADS, "a.csv"), part("options", b"")], "/options", "malformed_json"),
        ([part("file", TWO_LEADS, "a.csv"), part("options", b"[" * 50 + b"]" * 50)], "/options", "malformed_json"),
        ([part("file", TWO_LEADS, "a.csv"), part("options", b"[]")], "/options", "wrong_type"),
        ([part("file", TWO_LEADS, "a" * 256)], "/filename", "too_long"),
    ],
)
def test_an_invalid_form_is_refused_and_leaves_no_file(
    scenario: HttpScenario, parts: list[bytes], pointer: str, code: str
) -> None:
    refused = send(scenario, *parts)

    assert refused.status_code == 422
    assert field_errors(refused) == {pointer: code}
    assert stored_files(scenario) == []
    assert json_of(scenario.manager.get(IMPORTS))["items"] == []


FILE = part("file", TWO_LEADS, "leads.csv")


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        (FILE, "edge"),
        (FILE[:-30], "edge"),
        (b"\r\n", "edge"),
        (b"no form at all", "edge"),
        (FILE + b"--edge--\r\n", "else"),
        ((FILE + b"--edge--\r\n").replace(b"--edge", b"--"), ""),
        (b"--edge\r\nContent-Type: text/csv\r\n\r\nName\r\n--edge--\r\n", "edge"),
        (b'--edge\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n\r\n--edge--\r\n', "edge"),
    ],
)
def test_a_malformed_form_is_refused_and_leaves_no_file(scenario: HttpScenario, body: bytes, boundary: str) -> None:
    refused = send(scenario, body, boundary=boundary, end=b"")

    assert (refused.status_code, json_of(refused)["code"]) == (400, "malformed_form")
    assert stored_files(scenario) == []


@pytest.mark.parametrize(
    "body",
    [
        b"--edge\r\nX: " + b"x" * MEBIBYTE,
        b"x" * MEBIBYTE + FILE + b"--edge--\r\n",
        FILE + b"--edge--\r\n" + b"x" * MEBIBYTE,
        part("options", b" " * (MEBIBYTE + 1)) + FILE + b"--edge--\r\n",
    ],
    ids=["endless headers", "endless preamble", "endless epilogue", "endless options"],
)
def test_the_bytes_around_the_parts_of_a_form_are_limited(scenario: HttpScenario, body: bytes) -> None:
    refused = send(scenario, body, end=b"")

    assert (refused.status_code, json_of(refused)["code"]) == (413, "too_large")
    assert stored_files(scenario) == []


def test_a_body_that_is_not_a_form_is_refused(scenario: HttpScenario) -> None:
    refused = scenario.manager.post(f"{IMPORTS}/file", json={"file": "Name"})

    assert (refused.status_code, refused.headers["Accept"]) == (415, "multipart/form-data")


def test_a_form_with_a_too_large_content_length_is_refused_unread(scenario: HttpScenario) -> None:
    class Unreadable(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise AssertionError

    refused = scenario.manager.post(
        f"{IMPORTS}/file",
        environ_overrides={
            "wsgi.input": Unreadable(),
            "CONTENT_LENGTH": str(MAX_FILE_BYTES + 3 * MEBIBYTE),
            "CONTENT_TYPE": "multipart/form-data; boundary=edge",
        },
    )

    assert (refused.status_code, json_of(refused)["code"]) == (413, "too_large")


def test_folders_are_removed_from_the_filename(scenario: HttpScenario) -> None:
    windows = send(scenario, part("file", TWO_LEADS, r"C:\\Users\\ada\\leads-1.csv"))
    unix = send(scenario, part("file", TWO_LEADS + b"\n", "../../etc/leads-2.csv"))

    assert [json_of(windows)["filename"], json_of(unix)["filename"]] == ["leads-1.csv", "leads-2.csv"]


def test_a_filename_may_be_in_any_script(scenario: HttpScenario) -> None:
    uploaded = upload_file(scenario.manager, TWO_LEADS, filename="عملاء 顧客 🎉.csv")

    assert json_of(uploaded)["filename"] == "عملاء 顧客 🎉.csv"


KEY = {"Idempotency-Key": "march-leads"}


class TestWithAnIdempotencyKey:
    def test_a_repeated_upload_with_its_key_gets_the_first_response(self, scenario: HttpScenario) -> None:
        first = upload_file(scenario.manager, TWO_LEADS, headers=KEY)
        scenario.service.run_jobs()

        second = upload_file(scenario.manager, TWO_LEADS, headers=KEY)

        assert second.status_code == 202
        assert second.data == first.data
        assert second.headers["Idempotency-Replayed"] == "true"
        assert second.headers["Location"] == first.headers["Location"]
        assert stored_files(scenario) == []

    @pytest.mark.parametrize(
        "other", [{"content": TWO_LEADS + b"\n"}, {"options": {"dry_run": True}}, {"filename": "else.csv"}]
    )
    def test_another_upload_with_the_same_key_is_refused_and_leaves_no_file(
        self, scenario: HttpScenario, other: dict[str, Any]
    ) -> None:
        upload_file(scenario.manager, TWO_LEADS, headers=KEY)

        refused = upload_file(scenario.manager, **{"content": TWO_LEADS, "headers": KEY, **other})

        assert (refused.status_code, json_of(refused)["code"]) == (422, "idempotency_key_reused")
        assert len(stored_files(scenario)) == 1

    def test_an_invalid_key_is_refused_and_leaves_no_file(self, scenario: HttpScenario) -> None:
        refused = upload_file(scenario.manager, TWO_LEADS, headers={"Idempotency-Key": "x" * 256})

        assert (refused.status_code, json_of(refused)["code"]) == (400, "invalid_header")
        assert stored_files(scenario) == []


def test_every_byte_of_the_file_is_stored_for_any_block_boundaries(scenario: HttpScenario) -> None:
    # What might be the beginning of a boundary is held back until more has come.
    content = b"".join(b"x" * (number % 23) + b"\r\n--edg" * (number % 3) + b"\n" for number in range(100_000))

    uploaded = send(scenario, part("file", content, "leads.csv"))

    assert scenario.service.ports.files._contents[f"imports/{json_of(uploaded)['id']}.csv"] == content


class NoQueue(InMemoryJobs):
    """Cannot be reached."""

    def run_import(self, import_id: UUID) -> None:
        raise Unavailable(f"The queue does not answer, and {import_id} waits.")


@pytest.mark.parametrize(
    "body",
    [
        FILE + b"--edge--\r\n",
        b"before it\r\n" + FILE + b"--edge--\r\nafter it",
        part("options", b"{}") + part("file", b"a\r\r\n--edg\r\n\r", "a.csv") + b"--edge--",
        b"\n--edge\n" + FILE + b"--edge--\r\n",
        FILE.replace(b"; filename", b"\n; filename") + b"--edge--\r\n",
        FILE.replace(b"Content-Disposition", b"\nContent-Disposition") + b"--edge--\r\n",
        FILE + b"--edge-",
    ],
    ids=[
        "usual",
        "text around it",
        "almost a boundary",
        "wrong line ends",
        "line end in a header",
        "line end before one",
        "cut off",
    ],
)
def test_a_form_is_read_the_same_for_any_block_boundaries(body: bytes) -> None:
    def read(block: int) -> list[Any]:
        received: list[Any] = []
        parts = parts_of(cast("IO[bytes]", Drip(body, block)), "edge")
        try:
            received.extend((each.name, each.filename, each.stream.read()) for each in parts)
        except Malformed as malformed:
            received.append(malformed.code)
        return received

    whole = read(len(body))

    assert [read(block) for block in range(1, len(body))] == [whole] * (len(body) - 1)


def test_the_file_of_an_import_is_kept_if_waking_a_worker_failed() -> None:
    scenario = import_scenario(jobs=NoQueue())

    failed = upload_file(scenario.manager, TWO_LEADS)
    scenario.service.run_jobs()

    [done] = json_of(scenario.manager.get(IMPORTS))["items"]
    assert failed.status_code == 503
    assert done["status"] == "completed"


class Endless(io.RawIOBase):
    """A form with a large file, made while it is read."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.sha256 = hashlib.sha256()
        self._blocks = self._made(size)
        self._pending = b""

    def _made(self, size: int) -> Iterator[bytes]:
        yield b'--edge\r\nContent-Disposition: form-data; name="file"; filename="large.csv"\r\n\r\n'
        for number in range(0, size, MEBIBYTE):
            block = (b"%015d\n" % number) * (MEBIBYTE // 16)
            self.sha256.update(block)
            yield block
        yield b'\r\n--edge\r\nContent-Disposition: form-data; name="options"\r\n\r\n{"dry_run": true}\r\n--edge--\r\n'

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._pending:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._pending = block
        taken = self._pending[: len(target)]
        target[: len(taken)] = taken
        self._pending = self._pending[len(taken) :]
        return len(taken)


def test_a_large_upload_is_never_entirely_in_memory(tmp_path: Path) -> None:
    clock = FixedClock()
    files = LocalFiles(tmp_path, public_url=PUBLIC_URL, secrets_by_kid={"a": b"s" * 32}, clock=clock)
    scenario = import_scenario(files=files, clock=clock)
    body = Endless(64 * MEBIBYTE)

    tracemalloc.start()
    try:
        uploaded = scenario.manager.post(
            f"{IMPORTS}/file",
            environ_overrides={
                "wsgi.input": body,
                "wsgi.input_terminated": True,
                "CONTENT_TYPE": "multipart/form-data; boundary=edge",
            },
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    coming = json_of(uploaded)
    with files.read(f"imports/{coming['id']}.csv") as stored:
        received = hashlib.file_digest(stored, "sha256")  # type: ignore[arg-type]  # BinaryIO reads into a buffer too
    assert (coming["size"], coming["options"]["dry_run"]) == (64 * MEBIBYTE, True)
    assert received.hexdigest() == body.sha256.hexdigest()
    assert peak < 8 * MEBIBYTE
