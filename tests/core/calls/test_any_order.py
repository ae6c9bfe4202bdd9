"""Tests of random sequences of actions on call tasks by any users: ledger, events and leads stay consistent."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from tests.core.calls.expected import (
    PENDING,
    ExpectedLead,
    ExpectedState,
    ExpectedTask,
    Refusal,
    cannot_be,
    cannot_create,
    cannot_manage,
    cannot_see,
    has_passed,
    is_closed,
)
from tests.core.replay import SHOW_AGAIN
from unite_core import (
    Actor,
    Assignment,
    CallOutcome,
    CallTask,
    Cancellation,
    Claim,
    CompletedCall,
    Completion,
    Correction,
    Forbidden,
    Invalid,
    LeadChanges,
    LeadStatus,
    LeadToDelete,
    NewCallTask,
    NewNote,
    NotFound,
    Role,
    TaskStatus,
    TaskView,
    UserChanges,
)
from unite_core.calls.model import MISSED_AFTER
from unite_core.testing.scenario import Scenario

MINUTE = timedelta(minutes=1)
ACTORS = st.sampled_from(["admin", "manager", "ann", "ben"])
VERSIONS = st.sampled_from([None, 0, 0, 0, -1])
"""None: any version will do. Else how far it is from the one that the task has."""

COMPLETIONS = st.fixed_dictionaries(
    {
        "outcome": st.sampled_from(CallOutcome),
        "duration_seconds": st.sampled_from([0, 60, 60, 60, 3600, -1]),
        "note": st.sampled_from([None, "Glad.", " Glad. ", " "]),
        "began": st.sampled_from([None, 1, 90]),
        "follow_up": st.sampled_from([None, 20, 300, 300, -5]),
    }
)


@dataclass
class Sent:
    """A request that was sent with an idempotency key, and the answer that it got."""

    claim: Claim
    actor: Actor
    call: CompletedCall
    answer: bytes


class CallsInAnyOrder(RuleBasedStateMachine):
    """Every rule does something to Unite and to the book, and after each of them the two must agree."""

    leads: Bundle[ExpectedLead] = Bundle("leads")
    tasks: Bundle[ExpectedTask] = Bundle("tasks")
    requests: Bundle[Sent] = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.scenario = scenario = Scenario()
        self.actors = {"admin": scenario.admin, "manager": scenario.manager, "ann": scenario.ann, "ben": scenario.ben}
        self.book = ExpectedState({actor.user_id for actor in self.actors.values()})
        self.calls = scenario.unite.calls

    @contextmanager
    def expected(self, refusal: Refusal, *, no_effect: bool = False) -> Iterator[None]:
        """What is refused is refused so, and leaves no trace, as does what has no effect."""
        before = self.scenario.tables
        if refusal is None:
            yield
        else:
            with pytest.raises(refusal):
                yield
        if refusal is not None or no_effect:
            now = self.scenario.tables
            for table in ("tasks", "ledger", "leads", "events", "deliveries"):
                assert getattr(now, table) == getattr(before, table)

    @initialize(target=tasks)
    def begin_with_calls(self) -> Any:
        return multiple(
            *(self.create(self.create_lead(owner), "admin", None, 5, None) for owner in ("ann", "ben", None))
        )

    @rule(target=leads, owner=st.sampled_from([None, "ann", "ann", "ben"]))
    def create_lead(self, owner: str | None) -> ExpectedLead:
        user_id = self.actors[owner].user_id if owner else None
        owner_id = user_id if user_id in self.book.active else None
        return self.book.create_lead(self.scenario.create_lead(assigned_to=owner_id).id, owner_id)

    @rule(lead=leads, status=st.sampled_from(LeadStatus))
    def choose_status(self, lead: ExpectedLead, status: LeadStatus) -> None:
        with self.expected(NotFound if lead.deleted else None):
            self.scenario.unite.leads.change(self.scenario.admin, LeadChanges(lead_id=lead.id, status=status))
        if not lead.deleted:
            self.book.choose(lead, status, self.scenario.now)

    @rule(lead=leads)
    def delete_lead(self, lead: ExpectedLead) -> None:
        with self.expected(NotFound if lead.deleted else None):
            self.scenario.unite.leads.delete(self.scenario.manager, LeadToDelete(lead_id=lead.id))
        if not lead.deleted:
            self.book.delete(lead)

    @rule(who=st.sampled_from(["manager", "ann", "ben"]), active=st.sampled_from([False, False, True]))
    def dismiss_or_bring_back(self, who: str, active: bool) -> None:
        user_id = self.actors[who].user_id
        self.scenario.unite.identity.update_user(self.scenario.admin, UserChanges(user_id=user_id, active=active))
        self.book.active = self.book.active | {user_id} if active else self.book.active - {user_id}

    @rule(
        target=tasks,
        lead=leads,
        actor=ACTORS,
        to=st.none() | ACTORS,
        due=st.sampled_from([-45, 0, 5, 60]),
        note=st.sampled_from([None, " Ask for Grace. ", " "]),
    )
    def create(self, lead: ExpectedLead, actor: str, to: str | None, due: int, note: str | None) -> Any:
        who, whom = self.actors[actor], self.actors[to].user_id if to else None
        refusal = cannot_create(self.book, lead, who, whom)
        new = NewCallTask(lead_id=lead.id, assigned_to=whom, due_at=self.scenario.now + due * MINUTE, note=note)
        created: list[TaskView] = []
        with self.expected(refusal):
            created.append(self.calls.create(who, new))
        if not created:
            return multiple()
        owner = lead.owner if lead.owner in self.book.active else None
        task = self.book.add_task(created[0].task.id, lead, whom or owner, new.due_at)
        task.notes = [note.strip()] if note and note.strip() else []
        return task

    @rule(task=tasks, actor=ACTORS, to=ACTORS, version=VERSIONS)
    def assign(self, task: ExpectedTask, actor: str, to: str, version: int | None) -> None:
        who, whom, seen = self.actors[actor], self.actors[to].user_id, seen_version(task, version)
        same = whom == task.assigned_to
        refusal = cannot_manage(task, who) or has_passed(task, seen)
        if not same:
            refusal = refusal or is_closed(task) or (None if whom in self.book.active else Invalid)
        with self.expected(refusal, no_effect=same):
            self.calls.assign(who, Assignment(task_id=task.id, assigned_to=whom, expected_version=seen))
        if refusal is None and not same:
            self.book.assign(task, whom)

    @rule(task=tasks, actor=ACTORS, text=st.sampled_from(["Ask for Grace.", " Later. ", " "]), version=VERSIONS)
    def note(self, task: ExpectedTask, actor: str, text: str, version: int | None) -> None:
        who, seen = self.actors[actor], seen_version(task, version)
        refusal = cannot_see(task, who) or has_passed(task, seen) or (None if text.strip() else Invalid)
        with self.expected(refusal):
            self.calls.note(who, NewNote(task_id=task.id, text=text, expected_version=seen))
        if refusal is None:
            self.book.note(task, text)

    @rule(target=tasks, task=tasks, actor=ACTORS, completion=COMPLETIONS, version=VERSIONS)
    def complete(self, task: ExpectedTask, actor: str, completion: dict[str, Any], version: int | None) -> Any:
        who, call = self.actors[actor], self.call(task, completion, version)
        return self.completed(task, who, call, lambda: self.calls.complete(who, call))

    @rule(task=tasks, actor=ACTORS, version=VERSIONS)
    def complete_with_the_same_content(self, task: ExpectedTask, actor: str, version: int | None) -> None:
        if task.completion is not None:
            who, seen = self.actors[actor], seen_version(task, version)
            call = CompletedCall(task_id=task.id, completion=task.completion, expected_version=seen)
            self.completed(task, who, call, lambda: self.calls.complete(who, call))

    @rule(target=requests, task=tasks, actor=ACTORS, completion=COMPLETIONS, version=VERSIONS)
    def complete_with_a_key(
        self, task: ExpectedTask, actor: str, completion: dict[str, Any], version: int | None
    ) -> Any:
        who, call = self.actors[actor], self.call(task, completion, version)
        claim = Claim(scope=str(self.scenario.ports.ids.new()), fingerprint="f1" * 32, holder="first")
        responses: list[bytes] = []

        def send() -> TaskView:
            outcome = self.scenario.unite.once(claim, self.calls.complete, answer_of, SHOW_AGAIN, who, call)
            assert not outcome.replayed
            responses.append(outcome.answer)
            return self.calls.get(self.scenario.admin, task.id)

        self.completed(task, who, call, send)
        return Sent(claim, who, call, responses[0]) if responses else multiple()

    @rule(sent=requests)
    def send_again_with_the_same_key(self, sent: Sent) -> None:
        claim = replace(sent.claim, holder="second")
        with self.expected(None, no_effect=True):
            again = self.scenario.unite.once(claim, self.calls.complete, answer_of, SHOW_AGAIN, sent.actor, sent.call)
        assert (again.answer, again.replayed) == (sent.answer, True)

    @rule(task=tasks, actor=ACTORS, reason=st.sampled_from([None, "Gone.", "two\nlines"]), version=VERSIONS)
    def cancel(self, task: ExpectedTask, actor: str, reason: str | None, version: int | None) -> None:
        who, seen = self.actors[actor], seen_version(task, version)
        same = task.status is TaskStatus.CANCELLED and task.reason == reason
        refusal = cannot_manage(task, who)
        if not same:
            unfit = Invalid if reason and "\n" in reason else None
            refusal = refusal or is_closed(task) or has_passed(task, seen) or unfit
        with self.expected(refusal, no_effect=same):
            self.calls.cancel(who, Cancellation(task_id=task.id, reason=reason, expected_version=seen))
        if refusal is None and not same:
            self.book.cancel(task, reason)

    @rule(minutes=st.sampled_from([1, 10, 60]), limit=st.sampled_from([None, 1, 2, 100]))
    def pass_time_and_perhaps_sweep(self, minutes: int, limit: int | None) -> None:
        self.scenario.advance(minutes * MINUTE)
        if limit is not None:
            missed = self.book.miss(self.scenario.now - MISSED_AFTER)
            assert self.scenario.unite.upkeep.mark_missed(limit=limit) == missed

    @rule(task=tasks, actor=ACTORS, which=st.integers(0, 3), outcome=st.sampled_from(CallOutcome))
    def correct(self, task: ExpectedTask, actor: str, which: int, outcome: CallOutcome) -> None:
        if not task.entries:
            return
        who = self.actors[actor]
        chain = self.calls.get_ledger(self.scenario.admin, task.id).entries
        wrong = chain[which % len(chain)]
        same = task.said == (wrong.id, outcome)
        right_already = (chain[-1].outcome, chain[-1].duration_seconds) == (outcome, 30)
        refusal: Refusal = Invalid if right_already and not same else None
        if who.role is Role.AGENT:
            refusal = Forbidden if task.agent == who.user_id else NotFound
        with self.expected(refusal, no_effect=same):
            self.calls.correct(
                who, Correction(entry_id=wrong.id, reason="Wrong.", outcome=outcome, duration_seconds=30)
            )
        if refusal is None and not same:
            self.book.correct(task, wrong.id, outcome)

    def call(self, task: ExpectedTask, fields: dict[str, Any], version: int | None) -> CompletedCall:
        now = self.scenario.now
        began, follow_up = fields["began"], fields["follow_up"]
        completion = Completion(
            outcome=fields["outcome"],
            duration_seconds=fields["duration_seconds"],
            note=fields["note"],
            started_at=now - timedelta(seconds=began) if began is not None else None,
            follow_up_at=now + follow_up * MINUTE if follow_up is not None else None,
        )
        return CompletedCall(task_id=task.id, completion=completion, expected_version=seen_version(task, version))

    def completed(self, task: ExpectedTask, who: Actor, call: CompletedCall, send: Callable[[], TaskView]) -> Any:
        """Check the effect of a completion, however it was sent; return the follow-up task, if any."""
        completion = replace(call.completion, note=(call.completion.note or "").strip() or None)
        same = task.completion == completion
        refusal = cannot_see(task, who)
        if not same:
            refusal = (
                refusal
                or is_closed(task)
                or has_passed(task, call.expected_version)
                or cannot_be(completion, self.scenario.now)
            )
        views: list[TaskView] = []
        with self.expected(refusal, no_effect=same):
            views.append(send())
        if not views or same:
            return multiple()
        following = self.book.complete(task, who.user_id, completion, views[0].task.follow_up_id, self.scenario.now)
        return following or multiple()

    @invariant()
    def every_task_is_what_the_book_says(self) -> None:
        assert self.scenario.tables.tasks.keys() == {task.id for task in self.book.tasks}
        for task in self.book.tasks:
            real = self.scenario.tables.tasks[task.id]
            assert (real.status, real.assigned_to, real.version) == (task.status, task.assigned_to, task.version)
            assert (real.completion, real.cancel_reason) == (task.completion, task.reason)
            assert [note.text for note in real.notes] == task.notes
            assert (real.closed_at is None) == (task.status is PENDING)

    @invariant()
    def every_closed_task_has_one_closing_entry_and_a_pending_one_none(self) -> None:
        for task in self.book.tasks:
            chain = self.scenario.tables.ledger.values()
            entries = [entry for entry in chain if entry.task_id == task.id]
            assert [entry.kind for entry in entries] == task.entries
            assert {entry.agent_id for entry in entries} <= {task.agent}

    @invariant()
    def every_chain_verifies(self) -> None:
        verified = self.calls.verify_ledger()
        assert verified.broken is None
        assert (verified.tasks, verified.entries) == (len(self.book.tasks), len(self.scenario.tables.ledger))

    @invariant()
    def the_calls_of_every_lead_are_counted_and_numbered(self) -> None:
        last = {
            entry.task_id: entry for entry in sorted(self.scenario.tables.ledger.values(), key=lambda it: it.number)
        }
        for lead in self.book.leads:
            made = [entry for entry in last.values() if entry.lead_id == lead.id and entry.outcome is not None]
            assert sorted(entry.attempt or 0 for entry in made) == list(range(1, len(made) + 1))
            counted = self.scenario.tables.lead_calls.get(lead.id)
            assert (counted is None) == (not made)
            if counted is not None:
                assert counted.outcomes == Counter(entry.outcome for entry in made)
                assert counted.first_called_at == min(entry.called_at for entry in made)

    @invariant()
    def the_outbox_holds_the_events_of_what_was_committed_and_nothing_else(self) -> None:
        held = []
        for event in self.scenario.events():
            told_of = event.data["task_id"] if event.type.startswith("call_") else event.lead_ids[0]
            held.append((event.type, str(told_of)))
        assert held == [(event_type, str(about)) for event_type, about in self.book.events]

    @invariant()
    def every_lead_is_as_far_as_people_and_calls_have_brought_it(self) -> None:
        for lead in self.book.leads:
            real = self.scenario.tables.leads[lead.id]
            assert (real.status, real.status_chosen_at, real.version) == (lead.status, lead.chosen_at, lead.version)
            assert (real.deleted_at is not None) == lead.deleted


def seen_version(task: ExpectedTask, version: int | None) -> int | None:
    return None if version is None else task.version + version


def answer_of(view: TaskView) -> bytes:
    task: CallTask = view.task
    return f"{task.id} {task.status} {task.version} {task.follow_up_id}".encode()


TestCallsInAnyOrder = CallsInAnyOrder.TestCase
TestCallsInAnyOrder.settings = settings(max_examples=100, stateful_step_count=40)
