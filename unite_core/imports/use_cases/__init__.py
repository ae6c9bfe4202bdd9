"""What can be done about imports; `run.ContinueImport` does the work."""

from unite_core.imports.use_cases.control import (
    CancelImport,
    ContinueUndo,
    RemoveAbandonedImports,
    UndoImport,
)
from unite_core.imports.use_cases.intake import (
    AnnounceImport,
    FileToImport,
    ImportStoredFile,
    ImportUpload,
    NewImport,
    StartImport,
    StoredFile,
    StoreFile,
)

__all__ = [
    "AnnounceImport",
    "CancelImport",
    "ContinueUndo",
    "FileToImport",
    "ImportStoredFile",
    "ImportUpload",
    "NewImport",
    "RemoveAbandonedImports",
    "StartImport",
    "StoreFile",
    "StoredFile",
    "UndoImport",
]
