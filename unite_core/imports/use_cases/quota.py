"""Quota check: whether a user may have another import that has not ended."""

from uuid import UUID

from unite_core.errors import Conflict
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.quotas import Quotas


def require_quota(work: ImportsUnitOfWork, quotas: Quotas, user_id: UUID, size: int) -> None:
    """Raise `Conflict` if another import of `size` bytes exceeds the user's quotas.

    The codes are `too_many_imports` and `too_many_import_bytes`. Units of work that write wait for each other,
    so that they do not exceed the quotas together: this one locks the user.
    """
    work.users.lock(user_id)
    open_imports = work.imports.count_open(user_id)
    if open_imports.count >= quotas.open_imports:
        raise Conflict(
            f"You have {open_imports.count} imports that have not ended, and may have {quotas.open_imports}; start "
            "those that you have uploaded, cancel those that you do not need, or wait for one to end.",
            code="too_many_imports",
        )
    if open_imports.size + size > quotas.open_bytes:
        raise Conflict(
            f"Your imports that have not ended have {open_imports.size} bytes, this one has {size}, and together they "
            f"may have {quotas.open_bytes}; cancel those that you do not need, or wait for one to end.",
            code="too_many_import_bytes",
        )
