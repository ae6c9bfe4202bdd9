"""Test of call documents during an outage of MongoDB."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from entrypoints.bootstrap import Started, create_first_admin, load_settings, start
from tests.service_process import eventually
from unite_core import Actor, NewLead, Role
from unite_core.calls.model import CallOutcome, Completion
from unite_core.calls.use_cases import CompletedCall, NewCallTask
from unite_core.errors import Unavailable
from unite_core.notifications.model import ACTIVITY
from unite_core.periods import Period
from unite_core.zones import DEFAULT_ZONE

ADMIN = {"UNITE_ADMIN_EMAIL": "ann@example.com", "UNITE_ADMIN_PASSWORD": "correct horse battery"}
CONNECTED = Completion(outcome=CallOutcome.CONNECTED, duration_seconds=0)


def make_a_call(started: Started, ann: Actor) -> None:
    unite = started.unite
    lead = unite.leads.add(ann, NewLead(name="Grace", email=f"{unite.ids.new()}@example.com"))
    new = NewCallTask(lead_id=lead.id, due_at=unite.clock.now())
    unite.calls.complete(ann, CompletedCall(task_id=unite.calls.create(ann, new).task.id, completion=CONNECTED))


def this_week() -> Period:
    today = datetime.now(UTC).date()
    return Period(today - timedelta(days=6), today + timedelta(days=1), DEFAULT_ZONE)


def calls_reported(started: Started, ann: Actor) -> int:
    return sum(agent.figures.calls.value for agent in started.unite.reports.activity(ann, this_week()).agents)


def test_during_an_outage_of_mongodb_only_its_reports_fail_and_no_call_is_lost(
    tmp_path: Path, private_mongodb: Any
) -> None:
    url = f"{private_mongodb.url.rstrip('/')}/unite"
    settings = load_settings({"UNITE_DATA_DIR": str(tmp_path / "var"), "UNITE_MONGODB_URL": url, **ADMIN})
    with start(settings) as started:
        user = create_first_admin(started)
        assert user is not None
        ann = Actor(user_id=user.id, role=Role.ADMIN)
        reports = started.unite.reports
        make_a_call(started, ann)
        started.unite.notifications.relay(ACTIVITY)
        assert calls_reported(started, ann) == 1

        private_mongodb.kill()
        make_a_call(started, ann)
        for _ in range(2):
            with pytest.raises(Unavailable):
                reports.activity(ann, this_week())
            with pytest.raises(Unavailable):
                reports.reconcile(ann, this_week())
        assert reports.insights(ann, this_week()).figures.completed.value == 2

        private_mongodb.start()
        eventually(lambda: answers(started, ann), "MongoDB is asked again")
        about = reports.activity(ann, this_week()).about
        assert about.complete_through < about.generated_at
        assert calls_reported(started, ann) == 1
        pending = reports.reconcile(ann, this_week())
        assert (pending.equal, pending.pending) == (True, 1)

        eventually(lambda: delivered(started) and calls_reported(started, ann) == 2, "the call is delivered")
        assert reports.reconcile(ann, this_week()).equal


def delivered(started: Started) -> bool:
    """Whether a relay did all it could."""
    started.unite.notifications.relay(ACTIVITY)
    return True


def answers(started: Started, ann: Actor) -> bool:
    try:
        started.unite.reports.activity(ann, this_week())
    except Unavailable:
        return False
    return True
