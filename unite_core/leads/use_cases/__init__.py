"""What can be done to leads and their pictures."""

from unite_core.leads.use_cases.images import (
    AddImage,
    CompleteImage,
    DeleteImage,
    ImageUpload,
    NewImage,
    RemoveAbandonedImages,
)
from unite_core.leads.use_cases.leads import (
    AddLead,
    ChangeLead,
    DeleteLead,
    LeadChanges,
    LeadToDelete,
    NewLead,
    assignee_problem,
)

__all__ = [
    "AddImage",
    "AddLead",
    "ChangeLead",
    "CompleteImage",
    "DeleteImage",
    "DeleteLead",
    "ImageUpload",
    "LeadChanges",
    "LeadToDelete",
    "NewImage",
    "NewLead",
    "RemoveAbandonedImages",
    "assignee_problem",
]
