"""Error categories of the domain, without HTTP and SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One field that breaks one rule.

    `field` is a path into the input, its parts joined by dots (`options.on_duplicate`), or empty
    for the input as a whole. `code` is stable and snake_case; `detail` says in a sentence
    what is wrong and what to do; `suggestion` is a value that would probably be right.
    """

    field: str
    code: str
    detail: str
    suggestion: str | None = None


class UniteError(Exception):
    """The base class of every error that Unite raises on purpose.

    `code` is stable and snake_case; `detail` is one sentence that a user can act on;
    `problems` lists the fields with errors, if there are any. `str` shows both. Every error can be copied and pickled.
    """

    code: str = "error"

    def __init__(self, detail: str, *, code: str | None = None, problems: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.problems: tuple[FieldError, ...] = tuple(problems)

    def __str__(self) -> str:
        lines = (f"{each.field}: {each.detail}" if each.field else each.detail for each in self.problems)
        return " ".join([self.detail, *lines])

    def __reduce__(self) -> tuple[Any, ...]:
        # By default an exception is copied by calling its class with `args`, which lacks what is given by name.
        return _same_error, (type(self), self.args), self.__dict__


def _same_error(kind: type[UniteError], arguments: tuple[Any, ...]) -> UniteError:
    """Return a new error of the kind, whose attributes are set afterwards."""
    return kind.__new__(kind, *arguments)


class Malformed(UniteError):
    """The input cannot be parsed, so that no rule could be checked."""

    code = "malformed"


class Invalid(UniteError):
    """The input is readable and breaks a rule."""

    code = "invalid"


class Unauthenticated(UniteError):
    """The caller is not logged in, or the credentials are not valid."""

    code = "unauthenticated"


class Forbidden(UniteError):
    """The caller may see the resource but may not do this to it."""

    code = "forbidden"


class NotFound(UniteError):
    """The resource does not exist, or the caller may not know that it does."""

    code = "not_found"


class Conflict(UniteError):
    """The input is valid, but the current state does not allow the operation."""

    code = "conflict"


class PreconditionFailed(UniteError):
    """The caller acts on a version of the resource that is not the current one."""

    code = "precondition_failed"


class TooLarge(UniteError):
    """The input is larger than the limit that `detail` names."""

    code = "too_large"


class TooManyRequests(UniteError):
    """The caller has exceeded a limit; `retry_after` is when to try again, in whole seconds."""

    code = "too_many_requests"

    def __init__(self, detail: str, *, retry_after: int, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class Unavailable(UniteError):
    """A dependency did not answer. The only category of error for which a retry makes sense."""

    code = "unavailable"


class Deadlock(Unavailable):
    """A transaction lost against a concurrent one (deadlock, for example); nothing was committed, retry it."""
