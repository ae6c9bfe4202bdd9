"""Contract tests of the activity log."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

import pytest

from unite_core.events import Event
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import ActivityLog, Destination, EventFilter
from unite_core.paging import PageRequest, Position
from unite_core.testing.builders import an_event, an_id
from unite_core.testing.contracts.database import run_concurrently
from unite_core.testing.contracts.destinations import DestinationContract
from unite_core.testing.contracts.missing import missing_fixture
from unite_core.testing.contracts.pages import check_pages
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_NOW = A_MONDAY_MORNING
_MICROSECOND = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)


class ActivityLogContract(DestinationContract):
    """Derive a test class with a fixture `log`, empty at the start of each test; set `forgets_by_itself` if it does."""

    forgets_by_itself: ClassVar[bool] = False

    @pytest.fixture
    def log(self) -> ActivityLog:
        """Return the activity log under test."""
        raise missing_fixture(self, "log", "the `ActivityLog` under test, empty at the start of each test")

    @pytest.fixture
    def destination(self, log: ActivityLog) -> ActivityLog:
        self._log = log
        return log

    def received(self, _destination: Destination, events: Sequence[Event]) -> Sequence[UUID]:
        return [found.id for event in events for found in _of_lead(self._log, event.lead_ids[0])]

    def test_an_event_comes_back_as_it_was(self, log: ActivityLog) -> None:
        lead_id = an_id()
        full = an_event(lead_ids=(lead_id,), import_id=an_id(), actor_id=an_id(), correlation_id="a-correlation-id")
        sparse = Event(id=an_id(), type="lead.deleted", at=_NOW + _HOUR, lead_ids=(lead_id,))

        log.deliver([full, sparse])

        assert _of_lead(log, lead_id) == [sparse, full]

    def test_each_event_gets_a_receipt(self, log: ActivityLog) -> None:
        assert [*log.deliver([an_event(), an_event(), an_event(lead_ids=())])] == [Receipt(accepted=True)] * 3
        assert [*log.deliver([])] == []

    def test_a_large_batch_of_events_is_stored(self, log: ActivityLog) -> None:
        lead_id = an_id()
        events = [an_event(lead_ids=(lead_id,)) for _ in range(log.subscription.batch_size)]

        log.deliver(events)

        assert _of_lead(log, lead_id) == events[::-1]

    def test_a_repeated_event_has_no_second_effect(self, log: ActivityLog) -> None:
        event, other = an_event(), an_event()
        log.deliver([event])

        again = log.deliver([replace(event, type="something else", data={}), other])

        assert [*again] == [Receipt(accepted=True)] * 2
        assert _of_lead(log, event.lead_ids[0]) == [event]
        assert _of_lead(log, other.lead_ids[0]) == [other]

    def test_a_repeated_event_of_an_import_has_no_second_effect(self, log: ActivityLog) -> None:
        event = an_event(lead_ids=(), import_id=an_id())

        log.deliver([event, event])
        log.deliver([event])

        assert _of_import(log, event.import_id) == [event]

    def test_a_repeated_event_in_one_batch_has_no_second_effect(self, log: ActivityLog) -> None:
        event, other = an_event(), an_event()

        receipts = log.deliver([event, event, other])

        assert [*receipts] == [Receipt(accepted=True)] * 3
        assert _of_lead(log, event.lead_ids[0]) == [event]
        assert _of_lead(log, other.lead_ids[0]) == [other]

    def test_events_that_are_stored_concurrently_are_there_once(self, log: ActivityLog) -> None:
        lead_id = an_id()
        events = [an_event(lead_ids=(lead_id,)) for _ in range(20)]

        receipts = run_concurrently(4, lambda number: log.deliver(events if number % 2 else events[::-1]))

        assert [[*each] for each in receipts] == [[Receipt(accepted=True)] * 20] * 4
        assert _of_lead(log, lead_id) == events[::-1]

    def test_an_event_about_many_leads_is_returned_with_the_requested_lead(self, log: ActivityLog) -> None:
        event = an_event(lead_ids=(an_id(), an_id()))

        log.deliver([event])

        for lead_id in event.lead_ids:
            assert _of_lead(log, lead_id) == [replace(event, lead_ids=(lead_id,))]
        assert _of_lead(log, an_id()) == []

    def test_an_event_may_be_about_thousands_of_leads(self, log: ActivityLog) -> None:
        event = an_event(lead_ids=tuple(an_id() for _ in range(5000)))

        log.deliver([event])

        for lead_id in (event.lead_ids[0], event.lead_ids[2500], event.lead_ids[-1]):
            assert _of_lead(log, lead_id) == [replace(event, lead_ids=(lead_id,))]

    def test_an_event_without_a_subject_is_stored_too(self, log: ActivityLog) -> None:
        assert [*log.deliver([an_event(lead_ids=())])] == [Receipt(accepted=True)]

    def test_pages_go_from_the_newest_to_the_oldest_in_any_order_of_insertion(self, log: ActivityLog) -> None:
        lead_id = an_id()
        oldest = an_event(lead_ids=(lead_id,), at=_NOW - _HOUR)
        twins = [an_event(lead_ids=(lead_id,)), an_event(lead_ids=(lead_id,))]
        newest = an_event(lead_ids=(lead_id,), at=_NOW + _MICROSECOND)
        log.deliver([twins[1], newest])
        log.deliver([oldest, twins[0]])

        first = log.of_lead(lead_id, PageRequest(limit=2))
        second = log.of_lead(lead_id, PageRequest(limit=2, after=first.next))

        assert [*first.items] == [newest, twins[1]]
        assert first.next == Position(twins[1].at, twins[1].id)
        assert [*second.items] == [twins[0], oldest]
        assert second.next is None

    def test_pages_of_every_size_neither_skip_nor_repeat(self, log: ActivityLog) -> None:
        lead_id, import_id, delivery_id = an_id(), an_id(), an_id()
        moments = [_NOW, _NOW - _HOUR, _NOW, _NOW + _MICROSECOND, _NOW]
        of_lead = [an_event(lead_ids=(lead_id,), at=at) for at in moments]
        of_import = [an_event(lead_ids=(), import_id=import_id, at=at) for at in moments]
        of_delivery = [an_event(lead_ids=(), delivery_id=delivery_id, at=at) for at in moments]
        for events in (of_lead, of_import, of_delivery):
            log.deliver(events)

        for page, events in (
            (partial(log.of_lead, lead_id), of_lead),
            (partial(log.of_import, import_id), of_import),
            (partial(log.of_delivery, delivery_id), of_delivery),
        ):
            ordered = sorted(events, key=lambda event: (event.at, event.id), reverse=True)
            check_pages(page, ordered, lambda event: Position(event.at, event.id))

    def test_pages_neither_skip_nor_repeat_during_inserts(self, log: ActivityLog) -> None:
        lead_id = an_id()
        old = [an_event(lead_ids=(lead_id,), at=_NOW + _MICROSECOND * (number // 2)) for number in range(7)]
        log.deliver(old)
        walked: list[UUID] = []
        request = PageRequest(limit=2)

        while True:
            page = log.of_lead(lead_id, request)
            walked += [event.id for event in page.items]
            log.deliver([an_event(lead_ids=(lead_id,), at=_NOW + _HOUR)])
            if page.next is None:
                break
            request = PageRequest(limit=2, after=page.next)

        assert walked == [event.id for event in reversed(old)]

    def test_a_filter_returns_events_of_its_types_and_of_the_calls_of_the_user(self, log: ActivityLog) -> None:
        lead_id, user_id = an_id(), an_id()
        mine, theirs = {"assigned_to": str(user_id)}, {"assigned_to": str(an_id())}
        events = [
            an_event(lead_ids=(lead_id,), at=_NOW + _HOUR * number, type=type_, data=data)
            for number, (type_, data) in enumerate(
                [
                    ("lead.created", theirs),
                    ("call_task.created", mine),
                    ("call_task.created", theirs),
                    ("call_task.assigned", {"task_id": "1", **mine, "lead_name": 'half a pair \ud83d and a "quote"'}),
                    ("call_task.completed", {"assigned_to": None, "created_by": str(user_id)}),
                    ("lead.changed", {"assigned_to": {"from": str(user_id), "to": None}}),
                    ("call_task.completed", {"note": f'"assigned_to":"{user_id}"', **theirs}),
                    ("something.new", {}),
                ]
            )
        ]
        log.deliver([*events, an_event(data=mine)])
        visible = EventFilter(types=frozenset({"lead.created", "lead.changed"}), assigned_to=user_id)

        page = log.of_lead(lead_id, PageRequest(limit=200), visible)

        assert [*page.items] == [events[number] for number in (5, 3, 1, 0)]
        assert [*log.of_lead(lead_id, PageRequest(), EventFilter(types=frozenset(), assigned_to=an_id())).items] == []

    def test_pages_of_a_filtered_list_are_full(self, log: ActivityLog) -> None:
        lead_id, user_id = an_id(), an_id()
        visible = EventFilter(types=frozenset({"lead.changed"}), assigned_to=user_id)
        hidden = {"assigned_to": str(an_id())}
        events = [
            an_event(
                lead_ids=(lead_id,),
                at=_NOW + _MICROSECOND * (number // 2),
                type="lead.changed" if number % 10 == 0 else "call_task.completed",
                data={"assigned_to": str(user_id)} if number % 10 == 5 else hidden,
            )
            for number in range(50)
        ]
        log.deliver(events)
        pages: list[Sequence[Event]] = []
        request = PageRequest(limit=3)

        while True:
            page = log.of_lead(lead_id, request, visible)
            pages.append(page.items)
            if page.next is None:
                break
            request = PageRequest(limit=3, after=page.next)

        assert [len(each) for each in pages] == [3, 3, 3, 1]
        assert [event for each in pages for event in each] == [events[number] for number in range(45, -1, -5)]

    @pytest.mark.parametrize(
        "at",
        [
            datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC),
            datetime(2026, 3, 2, 9, 0, 0, 999999, tzinfo=UTC),
            datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        ],
        ids=str,
    )
    def test_a_moment_is_stored_to_the_microsecond(self, log: ActivityLog, at: datetime) -> None:
        event = an_event(at=at)

        log.deliver([event])

        [stored] = _of_lead(log, event.lead_ids[0])
        assert (stored.at, stored.at.utcoffset()) == (at, timedelta())

    def test_moments_a_microsecond_apart_are_distinct(self, log: ActivityLog) -> None:
        lead_id = an_id()
        # Ids that ascend as the moments descend: sorted by id the order would be different.
        events = [an_event(lead_ids=(lead_id,), at=_NOW - _MICROSECOND * number) for number in range(5)]
        log.deliver(events)

        after = log.of_lead(lead_id, PageRequest(after=Position(events[2].at, events[2].id)))

        assert _of_lead(log, lead_id) == events
        assert [*after.items] == events[3:]

    @pytest.mark.parametrize(
        "data",
        [
            {},
            {"empty": {}, "none": None, "list": [], "": ""},
            {"a.b": 1, ".": {"..": 2}, "$set": {"$inc": {"a": 1}}, "_id": 3, "$ref": "x", "$id": 1, "a\0b": 4},
            {"most": 2**63 - 1, "least": -(2**63), "more": 2**64, "small": 1},
            {"tenth": 0.1, "whole": 1.0, "tiny": 5e-324, "yes": True, "no": False},
            {"name": "Zoë 王小明 𝄞 👩‍👩‍👧", "nul": "a\0b", "half": "\ud83d", "quotes": "\"'\\\n"},
            {"phone": {"from": None, "to": "+12125550123"}, "deep": [[[{"a": [1, [2, {"b": None}]]}]]]},
        ],
        ids=["nothing", "empty things", "names", "whole numbers", "other numbers", "text", "nested"],
    )
    def test_data_of_any_shape_comes_back_exactly(self, log: ActivityLog, data: dict[str, Any]) -> None:
        event = an_event(data=data)

        log.deliver([event])

        [stored] = _of_lead(log, event.lead_ids[0])
        assert stored.data == data
        assert repr(stored.data) == repr(data)  # 1, 1.0 and True are equal, and the order of names matters

    def test_changing_an_event_object_does_not_change_the_log(self, log: ActivityLog) -> None:
        data = {"phones": ["+12125550123"]}
        event = an_event(data=data)
        log.deliver([event])

        data["phones"].append("told")
        [stored] = _of_lead(log, event.lead_ids[0])
        stored.data["phones"].append("found")

        assert _of_lead(log, event.lead_ids[0])[0].data == {"phones": ["+12125550123"]}

    def test_the_activity_of_an_import_excludes_its_leads(self, log: ActivityLog) -> None:
        import_id = an_id()
        started = an_event(lead_ids=(), import_id=import_id, at=_NOW)
        ended = an_event(lead_ids=(), import_id=import_id, at=_NOW + _HOUR)
        made = an_event(lead_ids=(an_id(),), import_id=import_id)
        log.deliver([started, made, ended, an_event(lead_ids=(), import_id=an_id()), an_event(lead_ids=())])

        assert _of_import(log, import_id) == [ended, started]
        assert _of_lead(log, made.lead_ids[0]) == [made]

    def test_the_activity_of_an_import_is_paginated(self, log: ActivityLog) -> None:
        import_id = an_id()
        events = [an_event(lead_ids=(), import_id=import_id, at=_NOW + _HOUR * (number // 2)) for number in range(5)]
        log.deliver(events)

        first = log.of_import(import_id, PageRequest(limit=3))
        log.deliver([an_event(lead_ids=(), import_id=import_id, at=_NOW + 9 * _HOUR)])
        second = log.of_import(import_id, PageRequest(limit=3, after=first.next))

        assert [*first.items, *second.items] == events[::-1]
        assert second.next is None

    def test_the_activity_of_a_delivery_is_paginated(self, log: ActivityLog) -> None:
        delivery_id = an_id()
        events = [
            an_event(
                type="delivery.answered",
                lead_ids=(),
                delivery_id=delivery_id,
                at=_NOW + _HOUR * (number // 2),
                data={"destination": "texts", "attempt": number, "response": {"status": "sent", "cost": None}},
            )
            for number in range(5)
        ]
        elsewhere = an_event(lead_ids=(), delivery_id=an_id())
        log.deliver([*events[3:], elsewhere, an_event(lead_ids=())])
        log.deliver(events)

        first = log.of_delivery(delivery_id, PageRequest(limit=3))
        log.deliver([an_event(lead_ids=(), delivery_id=delivery_id, at=_NOW + 9 * _HOUR)])
        second = log.of_delivery(delivery_id, PageRequest(limit=3, after=first.next))

        assert [*first.items, *second.items] == events[::-1]
        assert second.next is None
        assert [*log.of_delivery(elsewhere.delivery_id or an_id(), PageRequest()).items] == [elsewhere]
        assert [*log.of_delivery(an_id(), PageRequest()).items] == []

    def test_events_about_deliveries_are_not_in_the_activity_of_leads_and_imports(self, log: ActivityLog) -> None:
        import_id, delivery_id = an_id(), an_id()
        of_import = an_event(lead_ids=(), import_id=import_id)
        of_delivery = an_event(lead_ids=(), delivery_id=delivery_id)
        of_lead = an_event()
        log.deliver([of_import, of_delivery, of_lead])

        assert _of_import(log, import_id) == [of_import]
        assert _of_lead(log, of_lead.lead_ids[0]) == [of_lead]
        assert [*log.of_delivery(delivery_id, PageRequest()).items] == [of_delivery]

    def test_a_purge_forgets_old_events_up_to_the_limit(self, log: ActivityLog) -> None:
        lead_id = an_id()
        old = [an_event(lead_ids=(lead_id,), at=_NOW - _HOUR) for _ in range(3)]
        young = an_event(lead_ids=(lead_id,), at=_NOW)
        log.deliver([*old, young])

        purged = [log.purge(before=_NOW, limit=2) for _ in range(3)]

        left = [young, *old[::-1]] if self.forgets_by_itself else [young]
        assert purged == ([0, 0, 0] if self.forgets_by_itself else [2, 1, 0])
        assert _of_lead(log, lead_id) == left


def _of_lead(log: ActivityLog, lead_id: UUID) -> Sequence[Event]:
    return [*log.of_lead(lead_id, PageRequest(limit=200)).items]


def _of_import(log: ActivityLog, import_id: UUID | None) -> Sequence[Event]:
    assert import_id is not None
    return [*log.of_import(import_id, PageRequest(limit=200)).items]
