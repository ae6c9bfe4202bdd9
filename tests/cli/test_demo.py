"""Tests of the `demo` command: every step succeeds, and nothing is left behind."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from tests.service_process import TIMEOUT, environment, eventually, measured, run


def test_the_demonstration_runs_all_steps_and_succeeds(tmp_path: Path) -> None:
    ended = run(tmp_path, "demo", TMPDIR=str(tmp_path))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    for pattern in (
        r"created +89",
        r"duplicate +4",
        r"rejected +7",
        r"rows +100",
        r"created +2",
        r"Mo +91 leads",
        "403",
    ):
        assert re.search(pattern, ended.stdout), pattern
    for pattern in (
        r"to …0142:\n +Unite: call ",
        "Idempotency-Replayed: true",
        "One entry in the call log; the lead was new, and is contacted.",
        "an entry is never changed",
        "2 entries of 1 call task: every chain is whole.",
        r"Amy +1 +1 +0 +100% \(1 of 1\) +312.0",
        "voicemail: 1, which is entry 2 of the ledger",
    ):
        assert re.search(pattern, ended.stdout), pattern
    assert "\x1b" not in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 100
    assert list(tmp_path.iterdir()) == []


def test_a_proxy_of_the_environment_is_not_used(tmp_path: Path) -> None:
    nobody = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9")

    ended = run(tmp_path, "demo", TMPDIR=str(tmp_path), NO_PROXY="", no_proxy="", **nobody)

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_progress_bars_are_shown_at_a_terminal(tmp_path: Path) -> None:
    mine, its = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "entrypoints", "demo"],
        # The demonstration is run by no test in its own process.
        env=measured(environment(tmp_path, TMPDIR=str(tmp_path), TERM="xterm-256color", COLUMNS="80")),
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=its,
    ) as process:
        os.close(its)
        shown = b"".join(iter(lambda: read(mine), b"")).decode()
        os.close(mine)
        assert process.wait(TIMEOUT) == 0, shown

    assert re.search(r"import .*━━━", shown)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert max(len(line) for line in re.split(r"[\r\n]+", plain)) <= 80


def read(terminal: int) -> bytes:
    """What a process prints at a terminal; nothing more once it has ended."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_a_failure_is_shown_with_the_last_log_lines_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "broken" / "httptools").mkdir(parents=True)
    (tmp_path / "broken" / "httptools" / "__init__.py").write_text("raise RuntimeError('out of order today')")
    (tmp_path / "temporary").mkdir()
    paths = f"{tmp_path / 'broken'}{os.pathsep}{environment(tmp_path)['PYTHONPATH']}"

    ended = run(tmp_path, "demo", TMPDIR=str(tmp_path / "temporary"), PYTHONPATH=paths)

    assert ended.returncode == 1
    assert "The service ended with exit code 1 before it was ready." in ended.stdout
    assert "out of order today" in ended.stdout
    assert list((tmp_path / "temporary").iterdir()) == []


def test_an_interrupted_demonstration_stops_its_service(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "entrypoints", "demo"],
        env=environment(tmp_path, TMPDIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        log = eventually(lambda: next(tmp_path.rglob("service.log"), None), "the service was started")
        folder = str(log.parent)
        eventually(lambda: using(folder), "its process is there")

        process.terminate()

        process.communicate(timeout=TIMEOUT)
    assert process.returncode == 143
    eventually(lambda: not using(folder), "none of its processes is left")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_demonstration_stops_its_service(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "entrypoints", "demo"],
        env=environment(tmp_path, TMPDIR=str(tmp_path)),
        stdout=subprocess.DEVNULL,
    ) as process:
        log = eventually(lambda: next(tmp_path.rglob("service.log"), None), "the service was started")
        folder = str(log.parent)
        eventually(lambda: "Unite listens" in log.read_text(errors="replace"), "the service listens")

        process.kill()

    eventually(lambda: not using(folder), "none of its processes is left")


def using(folder: str) -> list[str]:
    """The processes that have this folder in their environment."""
    results = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and folder in (process / "environ").read_text(errors="replace"):
                results.append(process.name)
        except OSError:  # it has ended meanwhile
            continue
    return results
