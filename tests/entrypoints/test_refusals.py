"""Tests of refused starts: one sentence for each reason, and warnings about servers that do not respond."""

import logging
import socket
import threading
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest

from entrypoints.bootstrap import StartRefused, start
from entrypoints.bootstrap.waiting import warn_if_slow
from entrypoints.cli import serve
from entrypoints.settings import Settings
from entrypoints.worker import process
from tests.service_process import eventually


def refusal_of(settings: Settings) -> str:
    with pytest.raises(StartRefused) as refused:
        start(settings)
    return str(refused.value)


def test_an_unreadable_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "jwt_keys").mkdir()

    refusal = refusal_of(Settings(data_dir=tmp_path))

    assert refusal.startswith(f"The keys {tmp_path}/jwt_keys cannot be used (Is a directory). Let the file belong to")
    assert "UNITE_JWT_KEYS" in refusal


def test_a_key_file_of_another_owner_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jwt_keys").write_text(f"a:{'s' * 32}")
    monkeypatch.setattr(Path, "chmod", _refused)

    refusal = refusal_of(Settings(data_dir=tmp_path))

    assert refusal.startswith(f"The keys {tmp_path}/jwt_keys cannot be used (Operation not permitted).")


def _refused(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_a_wake_up_pipe_that_cannot_be_opened_ends_the_worker_with_a_message(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, configured: Callable[[], None]
) -> None:
    (tmp_path / "worker.wake").mkdir()
    configured()

    code = process.run(Namespace(until_stdin_ends=False), {"UNITE_DATA_DIR": str(tmp_path)})

    assert code == 1
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert f"The wake-up pipe {tmp_path}/worker.wake cannot be opened (Is a directory)." in line.message


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Leaves logging to pytest."""
    return lambda: monkeypatch.setattr("entrypoints.logs.configure", lambda _: None)


def test_a_parameter_with_an_invalid_value_is_named(tmp_path: Path) -> None:
    url = "mysql://ann:hidden@127.0.0.1:1/unite?ssl_check_hostname=maybe"

    refusal = refusal_of(Settings(data_dir=tmp_path, database_url=url))

    assert "127.0.0.1:1/unite" in refusal
    assert "a parameter behind the question mark is wrong" in refusal
    assert "hidden" not in refusal


def test_a_server_that_does_not_respond_is_named_in_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with warn_if_slow("The database", 0.01):
        eventually(lambda: caplog.messages, "it is said")

    assert caplog.messages == ["The database has not answered for 0.01 seconds; the start is given up after a minute."]


def test_a_responding_server_causes_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    before = threading.active_count()

    with warn_if_slow("The database"):
        pass

    assert (caplog.messages, threading.active_count()) == ([], before)


def test_localhost_is_bound_to_its_first_available_address(monkeypatch: pytest.MonkeyPatch) -> None:
    away = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0))
    here = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [away, here])

    with serve._listening(Settings(host="localhost", port=0)) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example"])
def test_an_invalid_host_is_refused(host: str) -> None:
    with pytest.raises(StartRefused, match="UNITE_HOST"):
        serve._listening(Settings(host=host))
