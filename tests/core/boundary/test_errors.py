"""Tests of errors: every error can be copied and pickled, and its text lists all field errors."""

import copy
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from tests.core.boundary.values import subclasses
from unite_core import Duplicate, FieldError, Invalid, TooManyRequests, UniteError
from unite_core.imports.lease import CancelRequested, LostLease, StopRequested
from unite_core.leads.pictures import InvalidPicture
from unite_core.testing.builders import an_id

PROBLEM = FieldError(field="name", code="required", detail="A lead needs a name.")

ARGUMENTS: dict[str, Any] = {
    "detail": "It cannot be done.",
    "code": "of_its_own",
    "problems": [PROBLEM],
    "retry_after": 7,
    "columns": [{"header": "Name", "field": None}],
    "duplicates": (Duplicate("phone", an_id()),),
}
COPIES: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))]


def an_error(kind: type[UniteError]) -> UniteError:
    """Return an error of the kind, with a value for each of its parameters."""
    parameters = inspect.signature(kind).parameters.values()
    positional = [ARGUMENTS[each.name] for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    return kind(
        *positional, **{each.name: ARGUMENTS[each.name] for each in parameters if each.kind is each.KEYWORD_ONLY}
    )


@pytest.mark.parametrize("again", COPIES, ids=["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("kind", subclasses(UniteError), ids=lambda kind: kind.__name__)
def test_a_copied_or_pickled_error_is_equal(kind: type[UniteError], again: Callable[[Any], Any]) -> None:
    error = an_error(kind)
    error.add_note("It was Monday.")

    copied = again(error)

    assert type(copied) is kind
    assert copied is not error
    assert vars(copied) == vars(error)
    assert (copied.args, str(copied), repr(copied)) == (error.args, str(error), repr(error))


@pytest.mark.parametrize("again", COPIES, ids=["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize(
    "error", [InvalidPicture("too_large", "Too large."), LostLease(), StopRequested(), CancelRequested()], ids=repr
)
def test_a_copied_or_pickled_internal_error_is_equal(error: Exception, again: Callable[[Any], Any]) -> None:
    copied = again(error)

    assert type(copied) is type(error)
    assert (vars(copied), copied.args) == (vars(error), error.args)


def test_all_categories_of_errors_are_covered() -> None:
    walked = {kind.__name__ for kind in subclasses(UniteError)}

    assert walked >= {"Invalid", "DuplicateLead", "SameFile", "InvalidFile", "TooManyRequests", "Deadlock"}


def test_the_text_of_an_error_lists_its_field_errors() -> None:
    whole = FieldError(field="", code="contact_required", detail="A lead needs a phone or an e-mail.")

    assert str(Invalid("The lead breaks a rule.", problems=[PROBLEM, whole])) == (
        "The lead breaks a rule. name: A lead needs a name. A lead needs a phone or an e-mail."
    )
    assert str(TooManyRequests("Wait.", retry_after=1)) == "Wait."
