"""Use cases of call tasks and the call log."""

from unite_core.calls.use_cases.cancellation import (
    CancelCallsOfDeletedLeads,
    CancelCallTask,
    Cancellation,
    MarkMissed,
)
from unite_core.calls.use_cases.completion import CompleteCallTask, CompletedCall
from unite_core.calls.use_cases.correction import CorrectCallLog, Correction
from unite_core.calls.use_cases.tasks import (
    AddCallTaskNote,
    AssignCallTask,
    Assignment,
    CreateCallTask,
    NewCallTask,
    NewNote,
)

__all__ = [
    "AddCallTaskNote",
    "AssignCallTask",
    "Assignment",
    "CancelCallTask",
    "CancelCallsOfDeletedLeads",
    "Cancellation",
    "CompleteCallTask",
    "CompletedCall",
    "CorrectCallLog",
    "Correction",
    "CreateCallTask",
    "MarkMissed",
    "NewCallTask",
    "NewNote",
]
