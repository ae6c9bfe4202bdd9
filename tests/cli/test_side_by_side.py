"""Tests of data that an older version leaves during an upgrade or after a rollback: the current version repairs it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from entrypoints.bootstrap import OPERATOR, Started, load_settings, start
from entrypoints.worker.upkeep import keep_up
from tests.cli.older_versions import older_version, run_older
from tests.service_process import environment
from unite_core.calls.ledger import EntryKind
from unite_core.calls.model import TaskStatus
from unite_core.calls.use_cases import NewCallTask
from unite_core.identity.model import User
from unite_core.identity.ports import UserFilter
from unite_core.identity.use_cases import PasswordReset
from unite_core.leads.use_cases import NewLead
from unite_core.paging import PageRequest

DELETE_LEAD = """
import sys
from uuid import UUID
from adapters.sql.engine import create_engine_for
from adapters.sql.unit_of_work import SqlWork
from adapters.system_clock import SystemClock
from adapters.uuid7 import Uuid7Ids
from unite_core.identity.model import Actor, Role
from unite_core.leads.use_cases import DeleteLead, LeadToDelete

database, lead_id = sys.argv[1:]
delete = DeleteLead(SqlWork(create_engine_for(database)), SystemClock(), Uuid7Ids())
delete(Actor(user_id=UUID(int=0), role=Role.ADMIN), LeadToDelete(lead_id=UUID(lead_id)))
"""
"""Deletes a lead, in the words of the version that had an outbox and no calls yet."""


def opened(folder: Path) -> Started:
    return start(load_settings(environment(folder)))


def the_user(started: Started) -> User:
    [user] = started.unite.identity.list_users(OPERATOR, UserFilter(), PageRequest(limit=2)).items
    return user


@pytest.mark.usefixtures("with_admin")
def test_pending_calls_to_a_lead_that_an_older_version_deleted_are_cancelled(tmp_path: Path) -> None:
    with opened(tmp_path) as started:
        unite, ann = started.unite, the_user(started)
        actor = replace(OPERATOR, user_id=ann.id)
        lead, other = (unite.leads.add(actor, NewLead(name=name, email=f"{name}@example.com")) for name in "gh")
        due_at = unite.clock.now() + timedelta(days=1)
        task, kept = (unite.calls.create(actor, NewCallTask(lead_id=it.id, due_at=due_at)).task for it in (lead, other))

    run_older("0002", DELETE_LEAD, f"sqlite:///{tmp_path}/var/unite.sqlite3", str(lead.id), folder=tmp_path)

    with opened(tmp_path) as started:
        keep_up(started.unite.upkeep, lambda: False)
        stored = started.unite.calls.get(actor, task.id).task
        assert (stored.status, stored.cancel_reason) == (TaskStatus.CANCELLED, "The lead was deleted.")
        assert started.unite.calls.get(actor, kept.id).task.status is TaskStatus.PENDING
        [entry] = started.unite.calls.get_ledger(actor, task.id).entries
        assert (entry.kind, entry.reason, entry.actor_id) == (EntryKind.CANCELLED, "The lead was deleted.", None)
        assert started.unite.calls.verify_ledger().broken is None


@pytest.mark.usefixtures("with_admin")
def test_a_one_time_password_that_an_older_version_changed_is_an_ordinary_password(tmp_path: Path) -> None:
    with opened(tmp_path) as started:
        ann = the_user(started)
        given = started.unite.identity.reset_password(OPERATOR, PasswordReset(user_id=ann.id)).password
        assert the_user(started).password_change_required

    with older_version("0008~0007", tmp_path, {"email": ann.email, "password": given}) as older:
        change = {"current_password": given, "new_password": "chosen by Ann alone"}
        assert older.session.post(f"{older.url}/v1/me/password", json=change).status_code == 204

    with opened(tmp_path) as started:
        assert not the_user(started).password_change_required
        assert not the_user(started).password_expired(started.unite.clock.now() + timedelta(days=2))
