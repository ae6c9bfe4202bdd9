"""Use cases of leads and their images."""

from unite_core.leads.use_cases.images import (
    CompleteImage,
    CreateImage,
    DeleteImage,
    ImageUpload,
    NewImage,
    RemoveAbandonedImages,
)
from unite_core.leads.use_cases.inputs import LeadChanges, NewLead
from unite_core.leads.use_cases.leads import (
    CreateLead,
    DeleteLead,
    LeadToDelete,
    UpdateLead,
    assignee_error,
)

__all__ = [
    "CompleteImage",
    "CreateImage",
    "CreateLead",
    "DeleteImage",
    "DeleteLead",
    "ImageUpload",
    "LeadChanges",
    "LeadToDelete",
    "NewImage",
    "NewLead",
    "RemoveAbandonedImages",
    "UpdateLead",
    "assignee_error",
]
