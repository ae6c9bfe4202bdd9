"""The values of leads, to compare the results of two imports."""

from collections.abc import Sequence

from unite_core import Lead


def contents(leads: Sequence[Lead]) -> list[tuple[object, ...]]:
    """Return the values of leads, without ids and times."""
    values = [(it.name, it.phone, it.email, it.status, it.source, it.assigned_to) for it in leads]
    return sorted(values, key=str)
