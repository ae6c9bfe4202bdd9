"""Tests that every regular expression takes linear time."""

import ast
import re
from typing import Any

import pytest

from tests.guards.attacks import attacks_on
from tests.guards.growth import FLOOR_SECONDS, cpu_seconds
from tests.guards.patterns import METHODS, USES_PATTERNS, FoundPattern, find_patterns, parsed, sources

PATTERNS, UNKNOWN = find_patterns(sources(containing=USES_PATTERNS))

PATTERNS_OF_LIBRARIES = [
    "unite_core.phone.numbering: re.compile(prefix)",
    "unite_core.phone.numbering: re.fullmatch(pattern, any_rest)",
]
"""The numbering library's data are patterns, with which that library matches the same digits: at most 17."""

SIZES = (20, 28, 40, 60, 100, 400, 3000, 12_000)
"""Characters. Exponential patterns show themselves by the small ones, quadratic ones by the last."""


def slow_at(pattern: re.Pattern[Any], method: str) -> str | None:
    """What the method needs too much time for: more than `FLOOR_SECONDS`, a hundred times what linear work needs."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    flags = pattern.flags & (re.IGNORECASE | re.DOTALL | re.MULTILINE | re.VERBOSE)
    for prefix, pump, suffix in attacks_on(text, flags):
        for size in SIZES:
            attack: Any = prefix + pump * (size // len(pump)) + suffix
            if isinstance(pattern.pattern, bytes):
                attack = attack.encode("latin-1")
            if all(cpu_seconds(_use(pattern, method, attack)) > FLOOR_SECONDS for _ in range(2)):
                return f"{prefix!r} + {pump!r} * {size // len(pump)} + {suffix!r}"
    return None


def _use(pattern: re.Pattern[Any], method: str, text: Any) -> Any:
    used = getattr(pattern, method)
    if method in ("sub", "subn"):
        return lambda: used(text[:0], text)
    if method == "finditer":
        return lambda: list(used(text))
    return lambda: used(text)


@pytest.mark.parametrize("case", PATTERNS, ids=lambda case: case.where)
def test_every_pattern_takes_linear_time(case: FoundPattern) -> None:
    slow = {method: text for method in sorted(case.methods) if (text := slow_at(case.pattern, method)) is not None}

    assert not slow


def test_every_pattern_is_a_constant() -> None:
    # One that is put together from what comes in cannot be tried here, and may be made slow by whoever sends it.
    assert UNKNOWN == PATTERNS_OF_LIBRARIES


def test_no_other_library_for_patterns_is_used() -> None:
    others = {"regex", "re2", "sre_compile"}

    imported = {
        name
        for source in sources()
        for node in source.nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module])
    }

    assert not imported & others


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r".*[/\\]", "sub"),
        (r"\s+$", "search"),
        (r"(a+)+b", "match"),
        (r"(?:a|a)*b", "fullmatch"),
        (r"GRANT .+? ON .+? TO x", "match"),
        (r"a*a*b", "match"),
        (r"\w+@\w+", "search"),
    ],
)
def test_a_slow_pattern_is_detected(pattern: str, method: str) -> None:
    assert slow_at(re.compile(pattern, re.DOTALL), method) is not None


def test_a_pattern_is_detected_in_any_place() -> None:
    source = parsed(
        "json",
        """
        import re as patterns
        from re import compile, sub as replace
        A = patterns.compile(r"a", patterns.IGNORECASE)
        def f(text, given):
            A.match(text)
            replace(r"b", "", text)
            patterns.search(rf"{given}c", text)
            return [compile("d") for _ in text]
        """,
    )

    patterns, unknown = find_patterns([source])

    assert {each.pattern.pattern: each.methods for each in patterns} == {
        "a": {"match"},
        "b": {"sub"},
        "d": frozenset(METHODS),
    }
    assert unknown == ["json: patterns.search(f'{given}c', text)"]
