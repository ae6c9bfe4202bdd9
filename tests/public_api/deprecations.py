"""What the texts of deprecations say."""

import re
from dataclasses import dataclass
from datetime import date

_TEXT = re.compile(
    r"`(?P<name>[\w.]+)` is deprecated since (?P<since>\d+\.\d+\.\d+): use `(?P<instead>[^`]+)`\. "
    r"Removed in (?P<removed_in>\d+\.\d+\.\d+), (?P<not_before>\d{4}-\d\d-\d\d)\."
)


@dataclass(frozen=True, kw_only=True)
class Deprecation:
    """A deprecated name; the version that is without it comes on `not_before` or later."""

    name: str
    instead: str
    since: str
    removed_in: str
    not_before: date

    def is_overdue(self, version: str, today: date) -> bool:
        """Return whether this version of the library, on this day, should be without the name."""
        return numbers(version) >= numbers(self.removed_in) or today >= self.not_before


def read(text: str) -> Deprecation:
    """Return what the text says; raise `ValueError` if it leaves something out."""
    said = _TEXT.fullmatch(text)
    if said is None:
        raise ValueError(f"This is not how a deprecation is written (unite_core/deprecation.py): {text!r}")
    return Deprecation(
        name=said["name"],
        instead=said["instead"],
        since=said["since"],
        removed_in=said["removed_in"],
        not_before=date.fromisoformat(said["not_before"]),
    )


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, to compare them."""
    return tuple(int(part) for part in version.split("."))
