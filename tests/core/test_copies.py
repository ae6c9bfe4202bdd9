"""Copies of stored objects are separate wherever an object can be changed."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from unite_core.events import Event
from unite_core.testing.builders import a_lead, a_task, a_user
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING
from unite_core.testing.in_memory.copies import copied


@dataclass(slots=True)
class Box:
    """An object that can be changed, and holds something."""

    content: Any = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frame:
    """An object that cannot be changed, and holds something."""

    content: Any


THINGS = [
    None,
    "text",
    1.5,
    A_MONDAY_MORNING,
    timedelta(hours=1),
    (1, [2, {"three": [4]}]),
    {(1, 2): {"three"}},
    frozenset({1}),
    Box([Frame([1]), Box(None)]),
    Frame(Box([1])),
    a_lead(),
    a_user(),
    a_task(a_lead(), a_user()),
    Event(id=a_user().id, type="lead.created", at=A_MONDAY_MORNING, data={"changes": [{"name": "Grace"}]}),
]


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: type(thing).__name__)
def test_a_copy_is_equal_and_of_the_same_types(thing: Any) -> None:
    assert copied(thing) == thing
    assert repr(copied(thing)) == repr(deepcopy(thing))


@pytest.mark.parametrize(
    ("holder", "inside"),
    [
        (holder, inside)
        for holder in (Box, Frame, lambda it: [it], lambda it: (it,), lambda it: {"key": it}, lambda it: Box({1: [it]}))
        for inside in (list, dict, set, Box, lambda: Frame([]))
    ],
)
def test_no_copy_shares_what_can_be_changed(holder: Any, inside: Any) -> None:
    original = holder(inside())

    assert changeable(original).isdisjoint(changeable(copied(original)))


def changeable(thing: Any) -> set[int]:
    """Return the ids of all objects in the thing, itself included, that can be changed."""
    if isinstance(thing, Box | Frame):
        return changeable(thing.content) | ({id(thing)} if isinstance(thing, Box) else set())
    if isinstance(thing, dict):
        return {id(thing)}.union(*map(changeable, thing.values()))
    return ({id(thing)} if not isinstance(thing, tuple) else set()).union(*map(changeable, thing))
