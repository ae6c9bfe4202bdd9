"""What can go wrong, in the words of the domain. No HTTP, no SQL."""

from collections.abc import Sequence
from dataclasses import dataclass


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
    """The root of every error that Unite raises on purpose.

    `code` is stable and snake_case; `detail` is one sentence that a user can act on;
    `problems` names the fields at fault, where there are any.
    """

    code = "error"

    def __init__(self, detail: str, *, code: str | None = None, problems: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.problems = tuple(problems)


class Malformed(UniteError):
    """The input cannot be read at all: it does not get as far as being judged by a rule."""

    code = "malformed"


class Invalid(UniteError):
    """The input is readable and breaks a rule."""

    code = "invalid"


class Unauthenticated(UniteError):
    """Nobody is logged in, or what they showed as proof is not good."""

    code = "unauthenticated"


class Forbidden(UniteError):
    """The caller may see the thing and may not do this to it."""

    code = "forbidden"


class NotFound(UniteError):
    """There is no such thing, or the caller may not know that there is."""

    code = "not_found"


class Conflict(UniteError):
    """The input is right and the state of things does not allow it."""

    code = "conflict"


class PreconditionFailed(UniteError):
    """The caller acts on a version of the thing that is no longer the current one."""

    code = "precondition_failed"


class TooLarge(UniteError):
    """The input is larger than the limit that `detail` names."""

    code = "too_large"


class TooManyRequests(UniteError):
    """The caller has used up an allowance; `retry_after` is when to come back, in whole seconds."""

    code = "too_many_requests"

    def __init__(self, detail: str, *, retry_after: int, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class Unavailable(UniteError):
    """Something that Unite depends on did not answer. The only kind of error that is worth a retry."""

    code = "unavailable"


class Deadlock(Unavailable):
    """Two transactions were in each other's way, and this one gave way: it has left no trace and can be begun anew."""
