"""Contract tests of the store of call documents, and of the activity log that fills it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from unite_core.calls.ledger import EntryKind, LedgerEntry, link_to_chain
from unite_core.calls.model import CallOutcome
from unite_core.notifications.ports import ActivityLog
from unite_core.paging import PageRequest
from unite_core.reports.documents import ID, CallDocuments, StoredDocument, document_of
from unite_core.testing.builders import a_lead, a_task, a_user, an_entry, an_event, an_event_of, an_id
from unite_core.testing.contracts.database import run_concurrently
from unite_core.testing.contracts.missing import missing_fixture
from unite_core.testing.contracts.pseudo_random import Choices

_CALLED_AT = datetime(2026, 3, 2, 9, 14, 59, 999999, tzinfo=UTC)
_QUARTER_PAST = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


def a_chain(length: int = 3) -> list[LedgerEntry]:
    """Return the entries of a call that was corrected several times."""
    agent = a_user()
    task = a_task(a_lead(), agent, assigned_to=agent.id)
    chain = [an_entry(task, called_at=_CALLED_AT)]
    for number in range(1, length):
        last = chain[-1]
        right = replace(
            last, id=an_id(), kind=EntryKind.CORRECTION, duration_seconds=number, at=last.at + timedelta(seconds=1)
        )
        chain.append(link_to_chain(right, chain))
    return chain


class CallDocumentsContract:
    """Derive a test class with fixtures `documents`, empty before each test, and `log`, which writes to them."""

    @pytest.fixture
    def documents(self) -> CallDocuments:
        """Return the store under test."""
        raise missing_fixture(self, "documents", "the `CallDocuments` under test, empty at the start of each test")

    @pytest.fixture
    def log(self, documents: CallDocuments) -> ActivityLog:
        """Return the activity log that writes to the store."""
        raise missing_fixture(self, "log", "the `ActivityLog` that writes to `documents`")

    def test_an_event_of_a_call_creates_a_document_with_all_its_values(
        self, log: ActivityLog, documents: CallDocuments
    ) -> None:
        [made] = a_chain(1)
        missed = an_entry(
            a_task(a_lead(), a_user()), kind=EntryKind.MISSED, outcome=None, duration_seconds=None, source=None
        )

        log.deliver([an_event_of(made), an_event_of(missed), an_event()])

        for entry in (made, missed):
            [stored] = documents.of_tasks([entry.task_id])
            assert stored == StoredDocument(document_of(entry).content())
            assert stored.id == entry.task_id
        assert documents.of_tasks([an_id()]) == []

    def test_events_of_calls_are_in_the_activity_log_too(self, log: ActivityLog) -> None:
        event = an_event_of(a_chain(1)[0])

        log.deliver([event])

        assert log.of_lead(event.lead_ids[0], PageRequest()).items == [event]

    @pytest.mark.parametrize("order", list(permutations(range(3))))
    def test_the_last_entry_counts_in_whatever_order_the_events_come(
        self, log: ActivityLog, documents: CallDocuments, order: tuple[int, ...]
    ) -> None:
        chain = a_chain()

        for number in (*order, *order):
            log.deliver([an_event_of(chain[number])])

        assert documents.of_tasks([chain[0].task_id]) == [StoredDocument(document_of(chain[-1]).content())]

    def test_the_last_of_several_entries_in_a_batch_counts(self, log: ActivityLog, documents: CallDocuments) -> None:
        chain = a_chain()

        log.deliver([an_event_of(chain[number]) for number in (1, 2, 0)])

        assert documents.of_tasks([chain[0].task_id]) == [StoredDocument(document_of(chain[-1]).content())]

    def test_the_last_entry_counts_during_concurrent_writes(self, log: ActivityLog, documents: CallDocuments) -> None:
        chains = [a_chain(4) for _ in range(10)]

        def hand_over(number: int) -> None:
            events = [an_event_of(chain[number]) for chain in chains]
            log.deliver(Choices(number).shuffled(events))

        run_concurrently(4, hand_over)

        for chain in chains:
            assert documents.of_tasks([chain[0].task_id]) == [StoredDocument(document_of(chain[-1]).content())]

    def test_an_event_with_an_incomplete_entry_creates_no_document(
        self, log: ActivityLog, documents: CallDocuments
    ) -> None:
        [entry] = a_chain(1)
        event = an_event_of(entry)
        of_before = replace(event, data={"entry_id": str(entry.id), "task_id": str(entry.task_id)})
        damaged = replace(event, id=an_id(), data={**event.data, "entry": {**event.data["entry"], "called_at": None}})

        receipts = log.deliver([of_before, damaged])

        assert all(receipt.accepted for receipt in receipts)
        assert documents.of_tasks([entry.task_id]) == []

    def test_a_call_stays_in_its_quarter_hour(self, documents: CallDocuments) -> None:
        [entry] = a_chain(1)
        documents.store([document_of(entry)])

        [stored] = documents.between(_QUARTER_PAST - timedelta(minutes=15), _QUARTER_PAST)

        assert stored.id == entry.task_id
        assert documents.between(_QUARTER_PAST, _QUARTER_PAST + timedelta(hours=1)) == []

    def test_a_time_span_includes_its_beginning_and_not_its_end(self, documents: CallDocuments) -> None:
        [entry] = a_chain(1)
        documents.store([document_of(replace(entry, called_at=_QUARTER_PAST))])

        assert len(documents.between(_QUARTER_PAST, _QUARTER_PAST + timedelta(hours=1))) == 1
        assert documents.between(_QUARTER_PAST - timedelta(hours=1), _QUARTER_PAST) == []

    def test_documents_of_thousands_of_tasks_are_found(self, documents: CallDocuments) -> None:
        [entry] = a_chain(1)
        documents.store([document_of(entry)])

        [stored] = documents.of_tasks([*(an_id() for _ in range(2500)), entry.task_id])

        assert stored.id == entry.task_id

    def test_a_document_is_replaced_if_it_is_unchanged(self, documents: CallDocuments) -> None:
        first, last = a_chain(2)
        documents.store([document_of(first)])
        before = documents.of_tasks([first.task_id])
        wrong = replace(document_of(first), number=99, outcome=CallOutcome.BUSY.value)

        documents.replace([(before[0], wrong)])
        documents.replace([(before[0], document_of(last))])

        [stored] = documents.of_tasks([first.task_id])
        assert stored == StoredDocument(wrong.content())
        documents.store([document_of(last)])
        assert documents.of_tasks([first.task_id]) == [stored]
        documents.replace([(stored, document_of(last))])
        assert documents.of_tasks([first.task_id]) == [StoredDocument(document_of(last).content())]

    def test_a_document_is_removed_if_it_is_unchanged(self, documents: CallDocuments) -> None:
        first, last = a_chain(2)
        documents.store([document_of(first)])
        before = documents.of_tasks([first.task_id])
        documents.store([document_of(last)])

        documents.remove(before)
        assert [stored.content["number"] for stored in documents.of_tasks([first.task_id])] == [2]

        documents.remove(documents.of_tasks([first.task_id]))
        assert documents.of_tasks([first.task_id]) == []

    def test_an_empty_batch_is_no_error(self, documents: CallDocuments) -> None:
        documents.store([])
        documents.replace([])
        documents.remove([])

        assert documents.of_tasks([]) == []
        assert documents.between(_CALLED_AT, _QUARTER_PAST) == []

    def test_documents_are_listed_by_their_tasks(self) -> None:
        one, other = an_id(), an_id()

        assert StoredDocument({ID: one, "task_id": other}).tasks == {one, other}
        assert StoredDocument({ID: "x", "task_id": other}).tasks == {other}
        assert StoredDocument({ID: "x"}).tasks == frozenset()
