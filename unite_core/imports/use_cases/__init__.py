"""What can be done about imports; `run.ContinueImport` does the work."""

from unite_core.imports.use_cases.control import (
    CancelImport,
    ContinueUndo,
    RemoveAbandonedImports,
    UndoImport,
)
from unite_core.imports.use_cases.intake import (
    CreateImport,
    FileToImport,
    ImportStoredFile,
    ImportUpload,
    NewImport,
    StartImport,
    StoredFile,
    StoreFile,
)
from unite_core.imports.use_cases.retention import RETENTION, PurgeImports
from unite_core.imports.use_cases.uploaded import StartUploadedImport, UploadOutcome

__all__ = [
    "RETENTION",
    "CancelImport",
    "ContinueUndo",
    "CreateImport",
    "FileToImport",
    "ImportStoredFile",
    "ImportUpload",
    "NewImport",
    "PurgeImports",
    "RemoveAbandonedImports",
    "StartImport",
    "StartUploadedImport",
    "StoreFile",
    "StoredFile",
    "UndoImport",
    "UploadOutcome",
]
