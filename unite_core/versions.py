"""Optimistic concurrency: the check that a change was made for the current version."""

from unite_core.errors import PreconditionFailed


def require_version(expected: int | None, current: int) -> None:
    """Raise `PreconditionFailed` if `expected` is given and is not the current version."""
    if expected is not None and expected != current:
        raise PreconditionFailed(
            f"You act on version {expected}, and it is at version {current} now; read it again, then decide."
        )
