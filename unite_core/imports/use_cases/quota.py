"""Whether a user may have another import that has not ended."""

from uuid import UUID

from unite_core.errors import Conflict
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.quotas import Quotas


def require_quota(work: ImportsUnitOfWork, quotas: Quotas, user_id: UUID, size: int) -> None:
    """Raise `Conflict` where another import of `size` bytes is one too many for the user.

    The codes are `too_many_imports` and `too_many_import_bytes`. Of several units of work that write, each waits for
    the one before, so that they do not exceed the quotas together: this one holds the user.
    """
    work.users.hold(user_id)
    known = work.imports.count_open(user_id)
    if known.count >= quotas.open_imports:
        raise Conflict(
            f"You have {known.count} imports that have not ended, and may have {quotas.open_imports}; start those that "
            "you have uploaded, cancel those that you do not need, or wait for one to end.",
            code="too_many_imports",
        )
    if known.size + size > quotas.open_bytes:
        raise Conflict(
            f"Your imports that have not ended have {known.size} bytes, this one has {size}, and together they may "
            f"have {quotas.open_bytes}; cancel those that you do not need, or wait for one to end.",
            code="too_many_import_bytes",
        )
