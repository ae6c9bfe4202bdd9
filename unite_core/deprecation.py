"""Deprecated public names: each use raises a `DeprecationWarning`, until a version is without them.

    @property
    @deprecated("`Reports.glance` is deprecated since 0.1.0: use `Reports.day_overview`. Removed in 0.3.0, 2027-12-01.")
    def glance(self) -> ReportDayOverview:
        return self.day_overview

The text says which version is without the name, and from which date on that version may come. It is one string,
because type checkers show it too (PEP 702). A test reads all texts, and fails if the version or the date is reached and
the name is still there. `lazy_names` takes the same texts for former names of classes and functions.
"""

import warnings
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from typing_extensions import deprecated

__all__ = ["DEPRECATIONS", "deprecated", "warn"]

F = TypeVar("F", bound=Callable[..., Any])

DEPRECATIONS: set[str] = set()
"""The texts of all deprecations of the modules that are loaded."""


def warn(text: str, *, stacklevel: int) -> None:
    """Warn of the use of a deprecated name; `stacklevel` is 1 for the caller of this function."""
    warnings.warn(text, DeprecationWarning, stacklevel=stacklevel + 1)


def _warning(text: str) -> Callable[[F], F]:
    """Return the decorator of a deprecated function or method, or of the function of a deprecated property."""
    DEPRECATIONS.add(text)

    def decorate(function: F) -> F:
        @wraps(function)
        def deprecated_function(*arguments: Any, **named: Any) -> Any:
            warn(text, stacklevel=2)
            return function(*arguments, **named)

        return deprecated_function  # type: ignore[return-value]  # it takes and returns what `function` does

    return decorate


if not TYPE_CHECKING:
    deprecated = _warning
