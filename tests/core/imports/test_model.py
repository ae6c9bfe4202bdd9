"""Tests of the states of an import: queue, cancel, and begin to undo it."""

import pytest

from unite_core import Conflict, ImportStatus, Undone
from unite_core.testing.builders import a_user, an_import
from unite_core.testing.in_memory import A_MONDAY_MORNING


def test_an_import_can_be_queued_once() -> None:
    queued = an_import(a_user(), status=ImportStatus.QUEUED)

    with pytest.raises(Conflict) as refused:
        queued.queue(5, "5c" * 32)

    assert refused.value.code == "already_started"


def test_cancelling_a_cancelled_import_changes_nothing() -> None:
    cancelled = an_import(a_user(), status=ImportStatus.CANCELLED)

    cancelled.request_cancel(A_MONDAY_MORNING)

    assert not cancelled.cancel_requested
    assert cancelled.finished_at is None


def test_an_undoing_does_not_follow_from_the_span_of_its_import() -> None:
    undoing = an_import(
        a_user(), status=ImportStatus.COMPLETED, started_at=A_MONDAY_MORNING, traceparent="of the import"
    )

    undoing.begin_undo()

    assert undoing.traceparent is None


def test_beginning_an_undo_again_changes_nothing() -> None:
    undoing = an_import(a_user(), status=ImportStatus.COMPLETED, started_at=A_MONDAY_MORNING, undone=Undone(removed=5))

    undoing.begin_undo()

    assert undoing.undone == Undone(removed=5)
