"""A full disk is one clear line at the start, and known to `/health/ready` while the service works."""

import csv
import io
import json
import os
import subprocess
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from entrypoints.cli import serve
from tests.service_process import Service, direct_session, eventually, free_port, service

ROWS = 20_000
MIB = 1024 * 1024


@contextmanager
def a_disk(folder: Path, size: str) -> Iterator[Path]:
    """A small disk of its own in memory; this takes the rights of root."""
    place = folder / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    if os.geteuid():
        command = ["sudo", "-n", *command]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.fail(f"a small disk cannot be mounted, which takes root or sudo: {mounted.stderr}", pytrace=False)
    try:
        yield place
    finally:
        subprocess.run([*command[:-7], "umount", "--lazy", str(place)], check=True)


@pytest.mark.parametrize("kib", [None, 4, 200, 492])
def test_a_disk_that_is_full_at_the_first_start_is_one_line_and_exit_code_1(
    tmp_path: Path, kib: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_disk(tmp_path, f"{kib or 4}k") as disk:
        if kib is None:
            fill(disk / "filled")
        settings = {"UNITE_DATA_DIR": str(disk / "var"), "UNITE_PORT": str(free_port())}
        admin = {"UNITE_ADMIN_EMAIL": "ann@example.com", "UNITE_ADMIN_PASSWORD": "correct horse battery"}

        code = serve.run(Namespace(), settings | admin)

    assert code == 1
    [line] = capsys.readouterr().err.splitlines()
    message = json.loads(line)["message"]
    assert message.startswith("Unite cannot start.")
    assert "full" in message or "No space left on device" in message


def leads() -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["Name", "Email"])
    writer.writerows([f"Lead {number} {'x' * 100}", f"lead{number}@example.com"] for number in range(ROWS))
    return buffer.getvalue().encode()


def health(one: Service) -> tuple[int, str, str]:
    with direct_session() as session:
        answer: requests.Response = session.get(f"{one.url}/health/ready", timeout=30)
    body = answer.json()
    return answer.status_code, body["status"], body["checks"]["disk"]["status"]


def test_a_disk_that_fills_up_pauses_an_import_which_goes_on_once_there_is_room(tmp_path: Path) -> None:
    with a_disk(tmp_path, "160m") as disk, service(disk) as one:
        one.log = tmp_path / "service.log"
        one.start()
        client = one.client()
        assert health(one) == (200, "ok", "ok")
        import_id = client.import_leads(leads())
        filled = disk / "filled"
        eventually(lambda: client.lead_import(import_id)["counts"]["rows"], "the import has begun")
        fill(filled)

        eventually(lambda: "The disk of the database is full; make room." in one.log.read_text(), "the log says it")
        assert health(one) == (200, "degraded", "degraded")
        assert client.lead_import(import_id)["status"] == "running"

        filled.unlink()
        eventually(lambda: client.lead_import(import_id)["status"] == "completed", "the import completes")
        assert client.lead_import(import_id)["counts"]["created"] == ROWS
        assert health(one) == (200, "ok", "ok")
    assert "Traceback" not in one.log.read_text()


def fill(path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        _write_until_it_fails(path)


def _write_until_it_fails(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * MIB)
