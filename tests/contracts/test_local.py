"""The adapters of the embedded default keep every contract; those of its database have a module of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.argon2 import Argon2Passwords
from adapters.jwt import JwtTokens
from adapters.local.console import ConsoleTextMessages, ConsoleTopic
from adapters.local.files import LocalFiles
from adapters.local.wake_up_pipe import LocalJobs
from adapters.local.worker_queues import LocalQueues
from adapters.rate_limits import LocalRateLimits
from adapters.system_clock import SystemClock
from adapters.uuid7 import Uuid7Ids
from tests.contracts.queues_contract import CORRELATION_ID, DESTINATIONS, QueuesContract
from unite_core.jobs import Jobs
from unite_core.testing.contracts import (
    ClockContract,
    FilesContract,
    IdsContract,
    JobsContract,
    PasswordsContract,
    RateLimitsContract,
    SignedFilesContract,
    TextMessagesContract,
    TokensContract,
    TopicContract,
)
from unite_core.testing.in_memory import FixedClock

SECRETS = {"a": b"a" * 32}
ADDRESS = "https://unite.example.com"


class TestPasswords(PasswordsContract):
    @pytest.fixture
    def passwords(self) -> Argon2Passwords:
        return Argon2Passwords(memory_kib=1024)

    @pytest.fixture
    def stronger(self) -> Argon2Passwords:
        return Argon2Passwords(memory_kib=2048)


class TestTokens(TokensContract):
    @pytest.fixture
    def tokens(self) -> JwtTokens:
        return JwtTokens(SECRETS)


class TestFiles(FilesContract):
    @pytest.fixture
    def files(self, tmp_path: Path) -> LocalFiles:
        return LocalFiles(tmp_path, public_url=ADDRESS, secrets_by_kid=SECRETS, clock=SystemClock())


class TestSignedFiles(SignedFilesContract):
    @pytest.fixture
    def files(self, clock: FixedClock, tmp_path: Path) -> LocalFiles:
        return LocalFiles(tmp_path, public_url=ADDRESS, secrets_by_kid=SECRETS, clock=clock)

    @pytest.fixture
    def signed_files(self, files: LocalFiles) -> LocalFiles:
        return files


class TestClock(ClockContract):
    @pytest.fixture
    def clock(self) -> SystemClock:
        return SystemClock()


class TestIds(IdsContract):
    @pytest.fixture
    def ids(self) -> Uuid7Ids:
        return Uuid7Ids()


class TestJobs(JobsContract):
    @pytest.fixture
    def jobs(self, tmp_path: Path) -> LocalJobs:
        return LocalJobs(tmp_path)


class TestJobsWithAWorker(JobsContract):
    @pytest.fixture
    def jobs(self, tmp_path: Path) -> Iterator[LocalJobs]:
        jobs = LocalJobs(tmp_path)
        with jobs.listen():
            yield jobs


@pytest.fixture
def local_queues(tmp_path: Path) -> Iterator[LocalQueues]:
    wake_ups = LocalJobs(tmp_path).listen()
    with LocalQueues(wake_ups, destinations=DESTINATIONS, correlation_id=lambda: CORRELATION_ID) as queues:
        yield queues


class TestJobsInTheProcessOfAWorker(JobsContract):
    @pytest.fixture
    def jobs(self, local_queues: LocalQueues) -> Jobs:
        return local_queues.jobs


class TestQueues(QueuesContract):
    @pytest.fixture
    def queues(self, local_queues: LocalQueues) -> LocalQueues:
        return local_queues


class TestRateLimits(RateLimitsContract):
    @pytest.fixture
    def limits(self, clock: FixedClock) -> LocalRateLimits:
        return LocalRateLimits(clock)


class TestTopic(TopicContract):
    @pytest.fixture
    def topic(self) -> ConsoleTopic:
        return ConsoleTopic()


class TestTextMessages(TextMessagesContract):
    knows_what_it_sent = False  # whoever watches sees by the id that it is the same one again

    @pytest.fixture
    def texts(self) -> ConsoleTextMessages:
        return ConsoleTextMessages()
