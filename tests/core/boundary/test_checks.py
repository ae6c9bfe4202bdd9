"""Tests of the checks of dataclasses, beyond what the classes of the library need today."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest

from unite_core import FieldError
from unite_core.checks import Checked


@dataclass(frozen=True)
class Span(Checked):
    """A dataclass with a rule about two fields."""

    first: int
    last: int

    def broken_rules(self) -> Iterable[FieldError]:
        if self.first > self.last:
            yield FieldError(field="first", code="after_end", detail="It is after the last one.")


@dataclass(frozen=True)
class Names(Checked):
    """A dataclass with one field, a list of texts."""

    names: Sequence[str]


@dataclass(frozen=True)
class Pair(Checked):
    """A dataclass with a tuple of two types."""

    pair: tuple[str, int]


def test_a_rule_on_two_fields_is_checked_at_every_creation() -> None:
    assert [Span(1, 2), Span(2, 2)] == [Span(1, 2), Span(2, 2)]

    with pytest.raises(ValueError, match=r"Span: first: It is after the last one\."):
        Span(3, 2)


def test_a_string_is_not_a_collection_of_strings() -> None:
    assert Names(["grace", "ada"]).names == ["grace", "ada"]

    with pytest.raises(TypeError, match="Names: names has to be Sequence, not str"):
        Names("grace")


def test_elements_may_be_of_any_type_of_a_union() -> None:
    assert Pair(("grace", 1)).pair == ("grace", 1)

    with pytest.raises(TypeError, match="pair"):
        Pair(("grace", 1.5))  # type: ignore[arg-type]  # it is to be refused
