"""Keeps one server until it is told to stop, or until the test run is over, however that ends.

A process of its own: it outlives a test process that crashes, and lets no server outlive the run. The run holds a
lock on a file, which the kernel takes back from a process that was killed; the keeper waits for that lock.
"""

import fcntl
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

RUN_LOCK = "run.lock"
"""Held by the test run for as long as it lasts."""

KEEPERS_LOCK = "keepers.lock"
"""Shared by the keepers for as long as they have something to keep."""

LOG = "server.log"
"""In the server's folder: what it prints."""

ENDED = "ended"
"""In the server's folder: the exit code of its command, once that has ended."""

_TIMEOUT = 20.0
"""Seconds for a server to end in good order."""


def main(run: Path, folder: Path, command: Sequence[str], farewell: Sequence[str]) -> None:
    """Run `command` in `folder`, wait for the end, and then run `farewell` if there is any."""
    signal.signal(signal.SIGTERM, _leave)
    with (run / KEEPERS_LOCK).open("a+") as keepers, (run / RUN_LOCK).open("a+") as lock:
        fcntl.lockf(keepers, fcntl.LOCK_SH)
        with (folder / LOG).open("ab") as log:
            server = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            threading.Thread(target=_note_the_end, args=(server, folder / ENDED), daemon=True).start()
            try:
                fcntl.lockf(lock, fcntl.LOCK_SH)
            finally:
                _end(server)
                if farewell:
                    subprocess.run(farewell, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
        _clear_up(run, keepers.fileno())


def _leave(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise SystemExit


def _note_the_end(server: "subprocess.Popen[bytes]", note: Path) -> None:
    code = server.wait()
    # Whoever reads the note finds it whole, or not at all.
    with suppress(FileNotFoundError):
        draft = note.with_suffix(".draft")
        draft.write_text(str(code))
        draft.rename(note)


def _end(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    try:
        server.wait(_TIMEOUT)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _clear_up(run: Path, keepers: int) -> None:
    """Delete what the run has left on disk, unless another keeper is still there to do so."""
    fcntl.lockf(keepers, fcntl.LOCK_UN)
    with suppress(OSError):
        fcntl.lockf(keepers, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(run, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *json.loads(sys.argv[3]))
