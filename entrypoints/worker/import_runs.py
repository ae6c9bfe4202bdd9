"""Continue an import or an undo, and log the result."""

import logging
from collections.abc import Callable
from functools import partial
from uuid import UUID

from unite_core.application import Imports
from unite_core.imports.model import ImportStatus

log = logging.getLogger(__name__)


def continue_import(
    imports: Imports, import_id: UUID, *, holder: str, should_stop: Callable[[], bool]
) -> ImportStatus | None:
    """Continue an import, and return its status; None if there was nothing to do for this worker.

    Only the worker that ends an import logs its end.
    """
    marks = _log_fields(import_id)
    taken = False

    def on_taken() -> None:
        nonlocal taken
        taken = True
        log.info("The import is continued.", extra=marks)

    status = imports.continue_import(import_id, holder=holder, should_stop=should_stop, on_taken=on_taken)
    if not taken:
        log.info("There is nothing to do for the import: it has ended, or another worker holds it.", extra=marks)
        return None
    if status is None:
        log.info("The import is continued by another worker.", extra=marks)
    elif status.ended:
        log.info("The import is %s.", status, extra=marks)
    else:
        log.info("The import is released, to be continued.", extra=marks)
    return status


def continue_undo(imports: Imports, import_id: UUID, *, should_stop: Callable[[], bool]) -> None:
    """Continue an undo. Only the worker that ends it logs its end."""
    on_finished = partial(log.info, "The import is undone.", extra=_log_fields(import_id))
    imports.continue_undo(import_id, should_stop=should_stop, on_finished=on_finished)


def _log_fields(import_id: UUID) -> dict[str, str]:
    return {"import_id": str(import_id)}
