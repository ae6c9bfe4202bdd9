"""Routes for call tasks: create, list, assign, note, complete and cancel."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from entrypoints.http.call_tasks.schemas import (
    CALL_TASK_EXAMPLE,
    CANCELLED_EXAMPLE,
    COMPLETED_EXAMPLE,
    COMPLETION_EXAMPLE,
    NEW_CALL_TASK_EXAMPLE,
    AssignmentSchema,
    CallTaskPageSchema,
    CallTaskQuery,
    CallTaskSchema,
    CancellationSchema,
    CompletionSchema,
    NewCallTaskSchema,
    NewNoteSchema,
    call_task_json,
)
from entrypoints.http.framework.conditional import etag, expected_version, versioned_response
from entrypoints.http.framework.context import actor, unite
from entrypoints.http.framework.idempotency import ResponseContent, ResponsePlan, run_use_case
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.framework.paging import page_request, page_response
from unite_core.calls.model import Completion
from unite_core.calls.ports import TaskFilter
from unite_core.calls.queries import GetCallTask, ListCallTasks, TaskView
from unite_core.calls.use_cases import (
    AddCallTaskNote,
    AssignCallTask,
    Assignment,
    CancelCallTask,
    Cancellation,
    CompleteCallTask,
    CompletedCall,
    CreateCallTask,
    NewCallTask,
    NewNote,
)

PATH = "/v1/call-tasks"
ONE = f"{PATH}/<uuid:task_id>"

operations = OperationGroup("call tasks", "Calls to make: their assignment, notes and outcomes.")


def _shown(example: Mapping[str, Any]) -> ResponseDoc:
    return ResponseDoc(status=200, schema=CallTaskSchema, example=example, headers=("ETag",))


@operations.operation(
    "POST",
    PATH,
    use_case=CreateCallTask,
    body=NewCallTaskSchema,
    body_example=NEW_CALL_TASK_EXAMPLE,
    responses=[ResponseDoc(status=201, schema=CallTaskSchema, example=CALL_TASK_EXAMPLE, headers=("Location", "ETag"))],
    problems=["forbidden", "not_found", "too_many_call_tasks"],
)
def create_call_task(body: dict[str, Any]) -> Response:
    """Create a call task."""
    return run_use_case(unite().calls.create, ResponsePlan(_created, _recheck), NewCallTask(**body))


@operations.operation(
    "GET",
    PATH,
    use_case=ListCallTasks,
    query=CallTaskQuery,
    responses=[
        ResponseDoc(
            status=200,
            schema=CallTaskPageSchema,
            example={"items": [CALL_TASK_EXAMPLE], "next_cursor": None},
            headers=("Link",),
        )
    ],
)
def list_call_tasks(query: dict[str, Any]) -> Response:
    """List call tasks."""
    page = unite().calls.list(actor(), task_filter(query), page_request(query))
    return page_response(map(call_task_json, page.items), page.next)


@operations.operation("GET", ONE, use_case=GetCallTask, responses=[_shown(CALL_TASK_EXAMPLE)], if_none_match=True)
def get_call_task(task_id: UUID) -> Response:
    """Get a call task."""
    view = unite().calls.get(actor(), task_id)
    return versioned_response(view.task.version, lambda: call_task_json(view))


@operations.operation(
    "POST",
    f"{ONE}/assign",
    use_case=AssignCallTask,
    body=AssignmentSchema,
    body_example={"assigned_to": CALL_TASK_EXAMPLE["assigned_to"]},
    responses=[_shown(CALL_TASK_EXAMPLE)],
    problems=["forbidden", "task_closed"],
    if_match=True,
)
def assign_call_task(task_id: UUID, body: dict[str, Any]) -> Response:
    """Assign a call task."""
    assignment = Assignment(task_id=task_id, expected_version=_expected(task_id), **body)
    return run_use_case(unite().calls.assign, ResponsePlan(_answer, _recheck), assignment)


@operations.operation(
    "POST",
    f"{ONE}/notes",
    operation_id="note_call_task",
    use_case=AddCallTaskNote,
    body=NewNoteSchema,
    body_example={"text": "She asked for a demonstration."},
    responses=[_shown(CALL_TASK_EXAMPLE)],
    problems=["too_many_notes", "quota_exceeded"],
    if_match=True,
)
def add_call_task_note(task_id: UUID, body: dict[str, Any]) -> Response:
    """Add a note to a call task."""
    new = NewNote(task_id=task_id, expected_version=_expected(task_id), **body)
    return run_use_case(unite().calls.note, ResponsePlan(_answer, _recheck), new)


@operations.operation(
    "POST",
    f"{ONE}/complete",
    use_case=CompleteCallTask,
    body=CompletionSchema,
    body_example=COMPLETION_EXAMPLE,
    responses=[_shown(COMPLETED_EXAMPLE)],
    problems=["task_closed"],
    if_match=True,
)
def complete_call_task(task_id: UUID, body: dict[str, Any]) -> Response:
    """Complete a call task."""
    call = CompletedCall(task_id=task_id, completion=Completion(**body), expected_version=_expected(task_id))
    return run_use_case(unite().calls.complete, ResponsePlan(_answer, _recheck), call)


@operations.operation(
    "POST",
    f"{ONE}/cancel",
    use_case=CancelCallTask,
    body=CancellationSchema,
    body_example={"reason": CANCELLED_EXAMPLE["cancel_reason"]},
    responses=[_shown(CANCELLED_EXAMPLE)],
    problems=["forbidden", "task_closed"],
    if_match=True,
)
def cancel_call_task(task_id: UUID, body: dict[str, Any]) -> Response:
    """Cancel a call task."""
    cancellation = Cancellation(task_id=task_id, expected_version=_expected(task_id), **body)
    return run_use_case(unite().calls.cancel, ResponsePlan(_answer, _recheck), cancellation)


def _created(view: TaskView) -> ResponseContent:
    tag = etag(view.task.version)
    return ResponseContent(201, call_task_json(view), {"Location": f"{PATH}/{view.task.id}", "ETag": tag})


def _answer(view: TaskView) -> ResponseContent:
    return ResponseContent(200, call_task_json(view), {"ETag": etag(view.task.version)})


def _recheck(shown: dict[str, Any]) -> dict[str, Any]:
    """Return the task of a first response, without its lead if the caller may not see the lead now."""
    view = unite().calls.get(actor(), UUID(shown["id"]))
    return shown if view.lead is not None else {**shown, "lead": None}


def _expected(task_id: UUID) -> int | None:
    return expected_version(lambda: unite().calls.get(actor(), task_id).task.version)


def task_filter(query: Mapping[str, Any]) -> TaskFilter:
    """Return the filter for a query of `CallTaskQuery`."""
    assignees = set(query.get("assigned_to", ()))
    return TaskFilter(
        statuses=frozenset(query.get("status", ())),
        assigned_to=frozenset(assignees - {None}),
        unassigned=None in assignees,
        lead_id=query.get("lead_id"),
        due_from=query.get("due_from"),
        due_to=query.get("due_to"),
    )
