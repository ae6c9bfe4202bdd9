"""Going on with an import or with an undoing, and the log lines that say what was done."""

import logging
from collections.abc import Callable
from functools import partial
from uuid import UUID

from unite_core.application import Imports
from unite_core.imports.model import ImportStatus

log = logging.getLogger(__name__)


def continue_import(
    imports: Imports,
    import_id: UUID,
    *,
    holder: str,
    should_stop: Callable[[], bool],
    correlation_id: str | None = None,
) -> ImportStatus | None:
    """Go on with an import; its status where this worker did something, None where there was nothing to do.

    That an import has ended is logged by the worker that ended it, and by no other.
    """
    marks = _marks(import_id, correlation_id)
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


def continue_undo(
    imports: Imports, import_id: UUID, *, should_stop: Callable[[], bool], correlation_id: str | None = None
) -> None:
    """Go on with an undoing. That it has ended is logged by the worker that ended it, and by no other."""
    marks = _marks(import_id, correlation_id)
    imports.continue_undo(
        import_id, should_stop=should_stop, on_finished=partial(log.info, "The import is undone.", extra=marks)
    )


def _marks(import_id: UUID, correlation_id: str | None) -> dict[str, str]:
    marks = {"import_id": str(import_id)}
    # Without one, that of the job that is being done is put on the record.
    return marks if correlation_id is None else {**marks, "correlation_id": correlation_id}
