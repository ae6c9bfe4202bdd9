"""Contract tests of the adapters of the embedded default, except its database."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.argon2 import Argon2Passwords
from adapters.jwt import JwtTokens
from adapters.local.files import LocalFiles
from adapters.local.message_file import FILE, MessageFile, TextMessageFile, TopicFile
from adapters.local.wake_up_pipe import LocalJobs
from adapters.local.worker_queues import LocalQueues
from adapters.rate_limits import LocalRateLimits
from adapters.system_clock import SystemClock
from adapters.uuid7 import Uuid7Ids
from tests.contracts.queues_contract import CORRELATION_ID, DESTINATIONS, TRACEPARENT, QueuesContract
from unite_core.clock import Clock
from unite_core.jobs import Jobs
from unite_core.notifications.ports import TextMessages, Topic, TopicMessage
from unite_core.testing.contracts import (
    ANYTHING,
    ClockContract,
    FilesContract,
    IdsContract,
    JobsContract,
    PasswordsContract,
    RateLimitsContract,
    SentText,
    SignedFilesContract,
    TextMessagesContract,
    TokensContract,
    TopicContract,
    WakeUp,
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


class StoredInAFolder:
    @pytest.fixture
    def files(self, clock: Clock, tmp_path: Path) -> LocalFiles:
        return LocalFiles(tmp_path, public_url=ADDRESS, secrets_by_kid=SECRETS, clock=clock)

    @pytest.fixture
    def stored(self, tmp_path: Path) -> Callable[[], Collection[str]]:
        return lambda: [str(path) for path in tmp_path.rglob("*") if path.is_file()]


class TestFiles(StoredInAFolder, FilesContract):
    @pytest.fixture
    def clock(self) -> SystemClock:
        return SystemClock()


class TestSignedFiles(StoredInAFolder, SignedFilesContract):
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

    @pytest.fixture
    def take(self, jobs: LocalJobs) -> Iterator[Callable[[], Collection[WakeUp]]]:
        with jobs.listen() as wake_ups:
            yield lambda: [ANYTHING] if wake_ups.wait(0) else []

    @pytest.fixture
    def outage(self) -> nullcontext[None]:
        return nullcontext()  # without `take` there is no worker


@pytest.fixture
def local_queues(tmp_path: Path) -> Iterator[LocalQueues]:
    wake_ups = LocalJobs(tmp_path).listen()
    with LocalQueues(
        wake_ups,
        destinations=DESTINATIONS,
        correlation_id=lambda: CORRELATION_ID,
        traceparent=lambda: TRACEPARENT,
    ) as queues:
        yield queues


class TestLocalQueueJobs(JobsContract):
    @pytest.fixture
    def jobs(self, local_queues: LocalQueues) -> Jobs:
        return local_queues.jobs

    @pytest.fixture
    def take(self) -> None:
        return None  # `TestQueues` takes them

    @pytest.fixture
    def outage(self) -> None:
        return None


class TestQueues(QueuesContract):
    @pytest.fixture
    def queues(self, local_queues: LocalQueues) -> LocalQueues:
        return local_queues


class TestRateLimits(RateLimitsContract):
    @pytest.fixture
    def limits(self, clock: FixedClock) -> LocalRateLimits:
        return LocalRateLimits(clock)


class Written:
    """The messages that were written to a file instead of sent."""

    @pytest.fixture(autouse=True)
    def _written(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @pytest.fixture
    def outage(self) -> None:
        return None

    def written(self) -> list[dict[str, Any]]:
        path = self.folder / FILE
        if not path.exists():
            return []
        with path.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]


class TestTopic(Written, TopicContract):
    @pytest.fixture
    def topic(self) -> TopicFile:
        return TopicFile(MessageFile(self.folder))

    def heard(self, _topic: Topic, _sent: Sequence[TopicMessage]) -> Sequence[TopicMessage]:
        names = ("type", "role", "correlation_id", "body")
        written = [{name: message[name] for name in names} for message in self.written()]
        return [TopicMessage(event_id=UUID(json.loads(it["body"])["id"]), **it) for it in written]


class TestTextMessages(Written, TextMessagesContract):
    knows_what_it_sent = False  # the reader of the file recognizes a repeated message by its id

    @pytest.fixture
    def texts(self) -> TextMessageFile:
        return TextMessageFile(MessageFile(self.folder))

    def sent(self, _texts: TextMessages) -> Sequence[SentText]:
        return [SentText(it["to"].replace("…", "+1202555"), it["text"]) for it in self.written()]
