"""Test of the documented rotation of keys, with two processes that accept each other's tokens at every step."""

import multiprocessing
import re
import shutil
import subprocess
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from entrypoints.bootstrap import create_first_admin, load_settings, start
from entrypoints.settings import parse_keys
from tests.conftest import CHECKOUT
from tests.service_process import ADMIN, TIMEOUT
from unite_core.errors import Unauthenticated
from unite_core.identity.use_cases import Credentials

RESTART = "docker compose up -d --force-recreate app worker"


def documented_steps() -> list[list[str]]:
    """The commands of each step, without the restart at its end."""
    text = (CHECKOUT / "docs" / "how-to" / "rotate-jwt-keys.md").read_text("utf-8")
    steps = re.split(r"^\d\. ", text, flags=re.MULTILINE)[1:]
    commands = [[line.strip() for line in step.splitlines() if line.startswith(" " * 8)] for step in steps]
    assert [each[-1] for each in commands] == [RESTART] * 3
    return [each[:-1] for each in commands]


class Process:
    """A process of an installation, with the keys that are in the file when it is started."""

    def __init__(self, folder: Path) -> None:
        self._environ = {
            "UNITE_DATA_DIR": str(folder / "var"),
            "UNITE_JWT_KEYS_FILE": str(folder / "secrets" / "jwt_keys"),
            "UNITE_ADMIN_EMAIL": ADMIN["email"],
            "UNITE_ADMIN_PASSWORD": ADMIN["password"],
            "UNITE_LOGIN_LIMIT": "0",
        }
        self.start()

    def start(self) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(target=_answer, args=(theirs, self._environ))
        self._process.start()

    def stop(self) -> None:
        self._process.kill()
        self._process.join()

    def log_in(self) -> str:
        return str(self._asked(None))

    def takes(self, token: str) -> bool:
        return bool(self._asked(token))

    def _asked(self, question: str | None) -> object:
        self._pipe.send(question)
        assert self._pipe.poll(TIMEOUT)
        return self._pipe.recv()


def _answer(pipe: Connection, environ: dict[str, str]) -> None:
    """Log in for each None, and return for each token whether it is accepted."""
    with start(load_settings(environ)) as started:
        create_first_admin(started)
        identity = started.unite.identity
        while True:
            token = pipe.recv()
            try:
                if token is None:
                    pipe.send(identity.log_in(Credentials(**ADMIN, address="192.0.2.1")).access_token)
                else:
                    pipe.send(bool(identity.authenticate(token)))
            except Unauthenticated:
                pipe.send(False)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Sequence[Process]]:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "jwt_keys").write_text(f"old:{'o' * 32}\n")
    both = [Process(tmp_path), Process(tmp_path)]
    yield both
    for process in both:
        process.stop()


def test_no_token_is_refused_during_a_rotation(tmp_path: Path, processes: Sequence[Process]) -> None:
    tokens = [process.log_in() for process in processes]
    add, move_to_the_front, take_out = documented_steps()

    for step in (add, move_to_the_front):
        _run(tmp_path, step)
        for restarted in processes:
            restarted.stop()
            restarted.start()
            tokens += [process.log_in() for process in processes]
            assert _refused(processes, tokens) == []
    new, old = _names(tmp_path)
    assert old == "old"
    assert f'"kid":"{new}"'.encode() in _head(processes[0].log_in())

    # A day later.
    _run(tmp_path, take_out)
    tokens_of_the_new = [process.log_in() for process in processes]
    for restarted in processes:
        restarted.stop()
        restarted.start()
        tokens_of_the_new += [process.log_in() for process in processes]
        assert _refused(processes, tokens_of_the_new) == []
    assert _names(tmp_path) == [new]
    assert _refused(processes, tokens[:1]) == tokens[:1] * 2


def _run(folder: Path, commands: Sequence[str]) -> None:
    shell = shutil.which("sh")
    assert shell is not None
    subprocess.run([shell, "-euc", "\n".join(commands)], cwd=folder, check=True)


def _names(folder: Path) -> list[str]:
    return list(parse_keys((folder / "secrets" / "jwt_keys").read_text().strip()))


def _head(token: str) -> bytes:
    head = token.partition(".")[0]
    return urlsafe_b64decode(head + "=" * (-len(head) % 4))


def _refused(processes: Sequence[Process], tokens: Sequence[str]) -> list[str]:
    """The tokens that a process refuses."""
    return [token for process in processes for token in tokens if not process.takes(token)]
