"""Measure hostile requests, compared with plain ones of the same size, and the latency of other requests meanwhile.

The hostile text is a letter with combining marks in the wrong order. To sort them into canonical order (UAX #15, 3.11
of the Unicode Standard) takes time that grows with the square of their number, unless their number is bounded.

Usage: python -m perf.hostile_text
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from typing import Any

from perf import results
from perf.service import KeepAliveClient, service

MARKS = 15_000
HOSTILE = "a" + "\u0301" * MARKS + "\u0323" * MARKS
PLAIN = "é" * (2 * MARKS)
"""The same number of bytes in UTF-8, which have to be normalised too."""

FIELDS = 50_000
TIMES = 5


def main() -> None:
    """Measure and record."""
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as client:
        lead = client.call("POST", "/v1/leads", {"name": "Ada Lovelace", "email": "ada@example.com"})["id"]
        inputs: dict[str, Callable[[str], Any]] = {
            "login: email": lambda text: _send(client, "POST", "/v1/auth/login", {"email": text, "password": "x" * 12}),
            "login: password": lambda text: _send(
                client, "POST", "/v1/auth/login", {"email": "nobody@example.com", "password": text}
            ),
            "lead: name": lambda text: _send(client, "PATCH", f"/v1/leads/{lead}", {"name": text}),
            "lead: source": lambda text: _send(client, "PATCH", f"/v1/leads/{lead}", {"source": text}),
            "call task: note": lambda text: _send(
                client, "POST", "/v1/call-tasks", {"lead_id": lead, "due_at": "2030-01-01T00:00:00Z", "note": text}
            ),
            "import: filename": lambda text: _send(client, "POST", "/v1/lead-imports", {"filename": text, "size": 9}),
            "import: cells of a file": lambda text: _import(client, Path(folder), text),
        }
        figures = {name: _compared(client, send) for name, send in inputs.items()}
        figures["upload: a filename of 20,000 letters, beside one of 200"] = {
            "times the plain one": _ratio(lambda: _upload(client, "a" * 20_000), lambda: _upload(client, "a" * 200))
        }
        unknown_fields = {f"field_{number:06}": 1 for number in range(FIELDS)}
        size, answer = len(json.dumps(unknown_fields)), _send(client, "POST", "/v1/leads", unknown_fields)
        figures["a body of unknown fields"] = {"bytes sent": size, "bytes answered": answer}
    results.record("hostile_text", "python -m perf.hostile_text", figures)


def _compared(client: KeepAliveClient, send: Callable[[str], Any]) -> dict[str, float]:
    ratio = _ratio(lambda: send(HOSTILE), lambda: send(PLAIN))
    # On a new connection, because the server closes one that has been idle for 15 seconds.
    other = client.twin()
    idle = statistics.median(other.timed("/v1/me") for _ in range(50))
    return {"times the plain one": ratio, "longest wait of others, beside idle": round(_wait(client, send) / idle, 1)}


def _ratio(hostile: Callable[[], Any], plain: Callable[[], Any]) -> float:
    hostile(), plain()
    return round(statistics.median(_timed(hostile) / _timed(plain) for _ in range(TIMES)), 2)


def _wait(client: KeepAliveClient, send: Callable[[str], Any]) -> float:
    """Return the longest latency of `/v1/me` during hostile requests."""
    other, done, waits = client.twin(), Event(), [0.0]

    def ask() -> None:
        while not done.is_set():
            waits.append(other.timed("/v1/me"))

    thread = Thread(target=ask)
    thread.start()
    for _ in range(TIMES):
        send(HOSTILE)
    done.set()
    thread.join()
    return max(waits)


def _timed(call: Callable[[], Any]) -> float:
    since = time.perf_counter()
    call()
    return time.perf_counter() - since


def _send(client: KeepAliveClient, method: str, path: str, body: Any) -> int:
    """Send JSON; return the number of bytes of the answer, whatever its status is."""
    return _sent(client, method, path, json.dumps(body, ensure_ascii=False).encode(), "application/json")


def _upload(client: KeepAliveClient, filename: str) -> int:
    """Send a form with an empty file of that name, which is refused; return the number of bytes of the answer."""
    part = f'--part\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n\r\n--part--\r\n'
    return _sent(client, "POST", "/v1/lead-imports/file", part.encode(), "multipart/form-data; boundary=part")


def _sent(client: KeepAliveClient, method: str, path: str, body: bytes, content_type: str) -> int:
    connection = HTTPConnection("127.0.0.1", client.port, timeout=300)
    connection.request(method, path, body, {"Content-Type": content_type, "Authorization": client.authorization})
    size = len(connection.getresponse().read())
    connection.close()
    return size


def _import(client: KeepAliveClient, folder: Path, text: str) -> None:
    """Import a file of ten rows with the text as their names, and wait for the end of the import."""
    file = folder / "cells.csv"
    rows = [f"{text},user{number}{time.monotonic_ns()}@example.com" for number in range(10)]
    file.write_text("\n".join(["name,email", *rows]), "utf-8")
    import_id = client.twin().upload(file)
    other = client.twin()
    while other.call("GET", f"/v1/lead-imports/{import_id}")["status"] in ("queued", "running"):
        time.sleep(0.02)


if __name__ == "__main__":
    main()
