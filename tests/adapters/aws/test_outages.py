"""Tests of S3 that is unavailable, refuses or does not respond: `Unavailable`, retries and the circuit breaker."""

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Event, Thread

import pytest

from adapters.aws.clients import AwsClients
from adapters.aws.provisioning import create_buckets
from adapters.aws.s3 import Buckets, S3Files
from adapters.outbound import CallTimeouts
from adapters.system_clock import SystemClock
from tests.adapters.aws.moto import Moto, access_to
from tests.service_process import eventually
from unite_core.errors import NotFound, Unavailable
from unite_core.testing.contracts.files import write

KEY = "imports/file.csv"
BUCKETS = Buckets(imports="floor-imports", images="floor-images")
A_MOMENT = timedelta(seconds=0.05)
TIMEOUTS = CallTimeouts(connect=timedelta(seconds=3), read=timedelta(seconds=0.5))
TIMEOUT = 20.0
"""Seconds after which a storage that is never given up answers, and so fails the test."""


@pytest.fixture
def moto() -> Iterator[Moto]:
    moto = Moto()
    moto.start()
    yield moto
    moto.stop()


def files_at(url: str, *, failures: int = 100, attempts: int = 1) -> S3Files:
    access = access_to(url, timeouts=TIMEOUTS, attempts=attempts, failure_threshold=failures, recovery_timeout=A_MOMENT)
    return S3Files(BUCKETS, access=access, clock=SystemClock())


def test_a_stopped_storage_is_unavailable_and_not_called_until_it_is_back(moto: Moto) -> None:
    access = access_to(moto.url)
    create_buckets(BUCKETS, access)
    files = files_at(moto.url, failures=3)
    write(files, KEY, b"12345")
    assert files.breaker_state == "closed"

    moto.stop()
    for _ in range(3):
        with pytest.raises(Unavailable, match="does not answer"):
            files.size(KEY)
    assert files.breaker_state == "open"
    with pytest.raises(Unavailable, match="did not answer several times"):
        files.size(KEY)

    eventually(lambda: files.breaker_state == "half_open", "the pause is over")
    with pytest.raises(Unavailable, match="does not answer"):
        files.size(KEY)
    assert files.breaker_state == "open"

    moto.start()
    create_buckets(BUCKETS, access)
    eventually(lambda: files.breaker_state == "half_open", "the pause is over")
    write(files, KEY, b"12345")
    assert files.breaker_state == "closed"
    assert files.size(KEY) == 5


def test_every_call_to_a_stopped_storage_raises_unavailable(moto: Moto) -> None:
    moto.stop()
    files = files_at(moto.url)
    asked: list[Callable[[], object]] = [
        files.ping,
        lambda: files.size(KEY),
        lambda: files.read(KEY).__enter__(),
        lambda: write(files, KEY, b"12345"),
        lambda: write(files, KEY, bytes(9 * 1024 * 1024)),
        lambda: files.move(f"uploads/{KEY}", KEY),
        lambda: files.delete(KEY),
    ]

    for ask in asked:
        with pytest.raises(Unavailable):
            ask()


def test_a_missing_file_does_not_open_the_circuit_breaker(files: S3Files) -> None:
    for _ in range(10):
        assert files.size(KEY) is None
        with pytest.raises(NotFound):
            files.move(KEY, f"{KEY}.other")

    assert files.breaker_state == "closed"


def test_a_ping_checks_both_buckets(files: S3Files, buckets: Buckets, access: AwsClients) -> None:
    files.ping()
    access.s3().delete_bucket(Bucket=buckets.images)

    with pytest.raises(Unavailable, match="lacks a bucket"):
        files.ping()


def test_a_missing_bucket_is_named_in_the_log_and_not_in_the_error(
    aws_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    files = files_at(aws_url)

    with caplog.at_level(logging.WARNING), pytest.raises(Unavailable) as refused:
        write(files, KEY, b"12345")

    assert "NoSuchBucket" in caplog.text
    assert "NoSuchBucket" not in refused.value.detail


def test_missing_credentials_make_the_storage_unavailable(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = str(tmp_path_factory.mktemp("home") / "none")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    files = S3Files(BUCKETS, access=AwsClients(region="us-east-1"), clock=SystemClock())

    with pytest.raises(Unavailable):
        files.size(KEY)


@contextmanager
def storage_that(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A storage that reads each request and then does `answer`; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):  # the socket is closed when the test is over
                while True:
                    connection, _ = listening.accept()
                    with connection:
                        connection.recv(65536)
                        answer(connection)

        serving = Thread(target=serve)
        serving.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            serving.join()


def test_a_download_that_breaks_off_raises_unavailable() -> None:
    def break_off(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + bytes(10))

    with storage_that(break_off) as url, files_at(url).read(KEY) as stream:
        assert stream.read(10) == bytes(10)
        with pytest.raises(Unavailable):
            stream.read(10)


def test_a_storage_that_accepts_a_connection_and_sends_nothing_times_out() -> None:
    given_up = Event()

    def answer_too_late(connection: socket.socket) -> None:
        if not given_up.wait(TIMEOUT):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")

    with storage_that(answer_too_late) as url:
        with pytest.raises(Unavailable):
            files_at(url).size(KEY)
        given_up.set()


def test_a_single_failure_is_retried_without_an_error() -> None:
    answers = iter(
        [b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"]
    )

    with storage_that(lambda connection: connection.sendall(next(answers))) as url:
        assert files_at(url, attempts=2).size(KEY) == 7
