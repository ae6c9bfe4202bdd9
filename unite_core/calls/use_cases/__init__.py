"""What can be done to call tasks and to the call log."""

from unite_core.calls.use_cases.completing import CompleteCallTask, CompletedCall
from unite_core.calls.use_cases.correcting import CorrectCallLog, Correction
from unite_core.calls.use_cases.giving_up import (
    CancelCallsOfDeletedLeads,
    CancelCallTask,
    Cancellation,
    MarkMissed,
)
from unite_core.calls.use_cases.planning import (
    AssignCallTask,
    Assignment,
    CreateCallTask,
    NewCallTask,
    NewNote,
    NoteCallTask,
)

__all__ = [
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
    "NoteCallTask",
]
