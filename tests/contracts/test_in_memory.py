"""Contract tests of the in-memory adapters."""

from collections.abc import Callable, Collection, Sequence
from uuid import UUID

import pytest

from tests.contracts.in_memory_units import InMemoryUnits, taking_from
from unite_core.imports.ports import UploadNotices
from unite_core.notifications.ports import TextMessages, Topic, TopicMessage
from unite_core.testing.builders import a_rejection, an_id
from unite_core.testing.contracts import (
    ActivityLogContract,
    CacheContract,
    CachedReadsContract,
    CallActivityContract,
    CallDocumentsContract,
    CallLedgerContract,
    CallTasksContract,
    ClockContract,
    ConsentsContract,
    DailySummariesContract,
    DeliveriesContract,
    DryRunLeadsContract,
    FilesContract,
    IdempotencyKeysContract,
    IdsContract,
    ImportRowsContract,
    ImportsContract,
    JobsContract,
    LeadCallsContract,
    LeadImagesContract,
    LeadListContract,
    LeadsContract,
    LinksContract,
    LiveFiguresContract,
    PasswordsContract,
    PendingEventsContract,
    RateLimitsContract,
    RollupsContract,
    SentText,
    SessionsContract,
    SignedFilesContract,
    TextMessagesContract,
    TextsOfEventsContract,
    TokensContract,
    TopicContract,
    TopicOfEventsContract,
    UnitOfWorkContract,
    UploadNoticesContract,
    UsageContract,
    UsersContract,
    WakeUp,
)
from unite_core.testing.contracts.agent_activity import Record, deliver_entries
from unite_core.testing.in_memory import (
    FastPasswords,
    FastTokens,
    FixedClock,
    InMemoryActivityLog,
    InMemoryCache,
    InMemoryCallDocuments,
    InMemoryFiles,
    InMemoryJobs,
    InMemoryLinks,
    InMemoryRateLimits,
    InMemoryTextMessages,
    InMemoryTopic,
    InMemoryUnitOfWorkFactory,
    InMemoryUploadNotices,
    SequentialIds,
    Store,
)
from unite_core.testing.in_memory.upload_notices import HIDDEN_FOR


class TestUnitOfWork(InMemoryUnits, UnitOfWorkContract):
    def test_a_nested_writing_unit_of_work_in_one_thread_is_refused(self, work: InMemoryUnitOfWorkFactory) -> None:
        with work(), pytest.raises(RuntimeError), work():
            pass
        with work() as unit:
            unit.commit()

    def test_a_unit_of_work_can_commit_only_once(self, work: InMemoryUnitOfWorkFactory) -> None:
        with work() as unit:
            unit.commit()
            with pytest.raises(RuntimeError):
                unit.commit()


class TestIdempotencyKeys(InMemoryUnits, IdempotencyKeysContract):
    pass


class TestUsage(InMemoryUnits, UsageContract):
    pass


class TestUsers(InMemoryUnits, UsersContract):
    pass


class TestSessions(InMemoryUnits, SessionsContract):
    pass


class TestLeads(InMemoryUnits, LeadsContract):
    pass


class TestLeadList(InMemoryUnits, LeadListContract):
    pass


class TestLeadImages(InMemoryUnits, LeadImagesContract):
    pass


class TestImports(InMemoryUnits, ImportsContract):
    pass


class TestImportRows(InMemoryUnits, ImportRowsContract):
    def test_a_row_can_be_rejected_only_once(self, work: InMemoryUnitOfWorkFactory) -> None:
        import_id = an_id()
        with work() as unit, pytest.raises(ValueError, match="has a rejection already"):
            unit.rows.reject(import_id, [a_rejection(2), a_rejection(2)])


class TestDryRunLeads(InMemoryUnits, DryRunLeadsContract):
    pass


class TestCachedReads(CachedReadsContract):
    @pytest.fixture
    def store(self) -> Store:
        return Store()

    @pytest.fixture
    def work(self, store: Store, cache: InMemoryCache) -> InMemoryUnitOfWorkFactory:
        return InMemoryUnitOfWorkFactory(store, cache=cache)

    @pytest.fixture
    def reads(self, store: Store) -> InMemoryUnitOfWorkFactory:
        return InMemoryUnitOfWorkFactory(store, writes=False)


class TestCache(CacheContract):
    @pytest.fixture
    def cache(self, clock: FixedClock) -> InMemoryCache:
        return InMemoryCache(clock)

    @pytest.fixture
    def outage(self) -> None:
        return None


class TestCallTasks(InMemoryUnits, CallTasksContract):
    one_writer = True


class TestCallLedger(InMemoryUnits, CallLedgerContract):
    pass


class TestLeadCalls(InMemoryUnits, LeadCallsContract):
    pass


class TestConsents(InMemoryUnits, ConsentsContract):
    pass


class TestDailySummaries(InMemoryUnits, DailySummariesContract):
    pass


class TestDeliveries(InMemoryUnits, DeliveriesContract):
    one_writer = True

    @pytest.fixture
    def work(self, store: Store) -> InMemoryUnitOfWorkFactory:
        return InMemoryUnitOfWorkFactory(store, subscriptions=self.SUBSCRIPTIONS)


class TestPasswords(PasswordsContract):
    @pytest.fixture
    def passwords(self) -> FastPasswords:
        return FastPasswords()

    @pytest.fixture
    def stronger(self) -> FastPasswords:
        return FastPasswords(2)


class TestTokens(TokensContract):
    @pytest.fixture
    def tokens(self) -> FastTokens:
        return FastTokens()


class StoredInMemory:
    @pytest.fixture
    def files(self, clock: FixedClock) -> InMemoryFiles:
        return InMemoryFiles(clock)

    @pytest.fixture
    def stored(self, files: InMemoryFiles) -> Callable[[], Collection[str]]:
        return files.keys


class TestFiles(StoredInMemory, FilesContract):
    in_memory = True


class TestSignedFiles(StoredInMemory, SignedFilesContract):
    @pytest.fixture
    def signed_files(self, files: InMemoryFiles) -> InMemoryFiles:
        return files


class TestClock(ClockContract):
    @pytest.fixture
    def clock(self) -> FixedClock:
        return FixedClock()


class TestIds(IdsContract):
    @pytest.fixture
    def ids(self) -> SequentialIds:
        return SequentialIds()


class TestJobs(JobsContract):
    @pytest.fixture
    def jobs(self) -> InMemoryJobs:
        return InMemoryJobs()

    @pytest.fixture
    def take(self, jobs: InMemoryJobs) -> Callable[[], Collection[WakeUp]]:
        return taking_from(jobs)

    @pytest.fixture
    def outage(self) -> None:
        return None


class TestLinks(LinksContract):
    @pytest.fixture
    def links(self) -> InMemoryLinks:
        return InMemoryLinks()


class TestRateLimits(RateLimitsContract):
    @pytest.fixture
    def limits(self, clock: FixedClock) -> InMemoryRateLimits:
        return InMemoryRateLimits(clock)


class TestActivityLog(ActivityLogContract):
    @pytest.fixture
    def log(self) -> InMemoryActivityLog:
        return InMemoryActivityLog()

    @pytest.fixture
    def outage(self) -> None:
        return None


class InMemoryTopics:
    @pytest.fixture
    def topic(self) -> InMemoryTopic:
        return InMemoryTopic()

    def heard(self, topic: Topic, _sent: Sequence[TopicMessage]) -> Sequence[TopicMessage]:
        assert isinstance(topic, InMemoryTopic)
        return topic.published


class TestTopic(InMemoryTopics, TopicContract):
    @pytest.fixture
    def outage(self) -> None:
        return None


class TestTopicOfEvents(InMemoryTopics, TopicOfEventsContract):
    pass


class TestTextMessages(InMemoryUnits, TextMessagesContract, TextsOfEventsContract):
    @pytest.fixture
    def texts(self) -> InMemoryTextMessages:
        return InMemoryTextMessages()

    def texted(self, texts: TextMessages) -> Sequence[UUID]:
        assert isinstance(texts, InMemoryTextMessages)
        return [message.delivery_id for message in texts.sent]

    def sent(self, texts: TextMessages) -> Sequence[SentText]:
        assert isinstance(texts, InMemoryTextMessages)
        return [SentText(message.to, message.text) for message in texts.sent]

    @pytest.fixture
    def outage(self) -> None:
        return None


class TestRollups(InMemoryUnits, RollupsContract):
    pass


class TestLiveFigures(InMemoryUnits, LiveFiguresContract):
    pass


class TestPendingEvents(InMemoryUnits, PendingEventsContract):
    pass


class TestCallActivity(InMemoryUnits, CallActivityContract):
    pass


class TestActivityOfCallDocuments(InMemoryUnits, CallActivityContract):
    @pytest.fixture
    def activity(self) -> InMemoryCallDocuments:
        return InMemoryCallDocuments()

    @pytest.fixture
    def record(self, activity: InMemoryCallDocuments) -> Record:
        log = InMemoryActivityLog(activity)
        return lambda entries: deliver_entries(log, entries)


class TestCallDocuments(CallDocumentsContract):
    @pytest.fixture
    def documents(self) -> InMemoryCallDocuments:
        return InMemoryCallDocuments()

    @pytest.fixture
    def log(self, documents: InMemoryCallDocuments) -> InMemoryActivityLog:
        return InMemoryActivityLog(documents)


class TestUploadNotices(UploadNoticesContract):
    @pytest.fixture
    def clock(self) -> FixedClock:
        return FixedClock()

    @pytest.fixture
    def notices(self, clock: FixedClock) -> InMemoryUploadNotices:
        self.clock_of_notices = clock
        return InMemoryUploadNotices(clock)

    @pytest.fixture
    def outage(self) -> None:
        return None

    def announce(self, notices: UploadNotices, key: str) -> None:
        assert isinstance(notices, InMemoryUploadNotices)
        notices.announce(key)

    def pass_time(self, _notices: UploadNotices) -> None:
        self.clock_of_notices.advance(HIDDEN_FOR)
