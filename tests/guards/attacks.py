"""Generation of strings that cause catastrophic backtracking, from a regular expression itself."""

import re
from collections.abc import Iterator
from re import _constants as sre  # type: ignore[attr-defined]  # the standard library's own parser has no stubs
from re import _parser as parser  # type: ignore[attr-defined]  # as above
from typing import Any

NEVER = "\0"
"""A character that hardly any expression matches; at the end it forces backtracking."""

_MAX_TOKENS = 10
_CATEGORIES = {"SPACE": " ", "DIGIT": "1", "WORD": "a", "NOT_SPACE": "a", "NOT_DIGIT": "a", "NOT_WORD": "-"}


def attacks_on(pattern: str, flags: int = 0) -> Iterator[tuple[str, str, str]]:
    """A prefix, a text to be repeated, and a suffix.

    The prefix takes the matcher to each part of the expression. The repeated text is one piece of the expression, or
    two in turn.
    """
    parsed = parser.parse(pattern, flags)
    tokens = list(dict.fromkeys(token for token in _tokens(parsed) if token))[:_MAX_TOKENS]
    pumps = list(dict.fromkeys([*tokens, *(first + second for first in tokens for second in tokens)]))
    for prefix in dict.fromkeys(_prefixes(parsed)):
        for pump in pumps:
            yield prefix, pump, NEVER


def _prefixes(parsed: Any) -> Iterator[str]:
    """Yield short texts that match the beginning of the expression, each one part longer."""
    text = ""
    yield text
    for item in parsed:
        text += _shortest([item])
        yield text


def _shortest(items: Any) -> str:
    return "".join(map(_shortest_of, items))


def _shortest_of(item: Any) -> str:
    kind, value = item
    if kind in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
        return next(_members(item), "")
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        minimum, _, inner = value
        return _shortest(inner) * max(int(minimum), 1)
    if kind is sre.SUBPATTERN:
        return _shortest(value[3])
    if kind is sre.ATOMIC_GROUP:
        return _shortest(value)
    if kind is sre.BRANCH:
        return _shortest(value[1][0])
    return ""


def _tokens(items: Any) -> Iterator[str]:
    """Return the pieces of the expression: runs of literal characters, and members of its classes."""
    run = ""
    for kind, value in items:
        if kind is sre.LITERAL:
            run += chr(value)
            continue
        if run:
            yield run
            run = ""
        yield from _inner_tokens(kind, value)
    if run:
        yield run


def _inner_tokens(kind: Any, value: Any) -> Iterator[str]:
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        yield from _tokens(value[2])
    elif kind is sre.SUBPATTERN:
        yield from _tokens(value[3])
    elif kind is sre.ATOMIC_GROUP:
        yield from _tokens(value)
    elif kind is sre.BRANCH:
        for branch in value[1]:
            yield from _tokens(branch)
    elif kind in (sre.ASSERT, sre.ASSERT_NOT):
        yield from _tokens(value[1])
    else:
        yield from _members((kind, value))


def _members(item: Any) -> Iterator[str]:
    """Return a few characters that one item matches."""
    kind, value = item
    if kind is sre.LITERAL:
        yield chr(value)
    elif kind is sre.NOT_LITERAL:
        yield "b" if value == ord("a") else "a"
    elif kind is sre.ANY:
        yield "a"
    elif kind is sre.IN:
        yield from _class_members(value)


def _class_members(parts: Any) -> Iterator[str]:
    if parts[0][0] is sre.NEGATE:
        taken = re.compile("[^" + re.escape("".join(_class_members(parts[1:]))) + "]")
        yield from [character for character in "a 1-" if taken.match(character)][:2]
        return
    for kind, value in parts:
        if kind is sre.LITERAL:
            yield chr(value)
        elif kind is sre.RANGE:
            yield chr(value[0])
        elif kind is sre.CATEGORY:
            yield _CATEGORIES[str(value).removeprefix("CATEGORY_")]
