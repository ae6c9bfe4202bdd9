"""A process that runs one server until it is stopped or the test run has ended.

As a separate process it survives a test process that crashes, and stops the server at the end of the run. The run holds
a lock on a file, which the kernel releases when the process is killed; the keeper waits for that lock.
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
"""The lock file that the test run holds as long as it lasts."""

KEEPERS_LOCK = "keepers.lock"
"""The lock file that the keepers share as long as they run a server."""

LOG = "server.log"
"""The output of the server, in its folder."""

ENDED = "ended"
"""The exit code of the server's command, in its folder, once it has ended."""

_TIMEOUT = 20.0
"""Timeout in seconds for a server to shut down."""


def main(run: Path, folder: Path, command: Sequence[str], farewell: Sequence[str]) -> None:
    """Run `command` in `folder`, wait for its end, and then run `farewell`, if given."""
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
    # Written and renamed, so that a reader sees the whole file or none.
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
    """Delete the files of the run, unless another keeper still runs and will do it."""
    fcntl.lockf(keepers, fcntl.LOCK_UN)
    with suppress(OSError):
        fcntl.lockf(keepers, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(run, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *json.loads(sys.argv[3]))
