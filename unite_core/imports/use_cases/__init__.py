"""Use cases of imports, except `continue_import.ContinueImport`, which processes the file."""

from unite_core.imports.use_cases.cancel_and_undo import (
    CancelImport,
    ContinueUndo,
    RemoveAbandonedImports,
    UndoImport,
)
from unite_core.imports.use_cases.purge import RETENTION, PurgeImports
from unite_core.imports.use_cases.start import (
    CreateImport,
    FileToImport,
    ImportStoredFile,
    ImportUpload,
    NewImport,
    StartImport,
    StoredFile,
    StoreFile,
)
from unite_core.imports.use_cases.start_uploaded import (
    StartAnnouncedUploads,
    StartUploadedImport,
    UploadOutcome,
    start_announced,
)

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
    "StartAnnouncedUploads",
    "StartImport",
    "StartUploadedImport",
    "StoreFile",
    "StoredFile",
    "UndoImport",
    "UploadOutcome",
    "start_announced",
]
