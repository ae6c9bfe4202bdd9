"""Deprecated names work and warn, for as long as the policy promises and no longer."""

import re
import sys
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib import import_module
from types import ModuleType

import pytest

import unite_core
from infra.release.stage import renamed_modules
from tests.conftest import CHECKOUT
from tests.public_api.deprecations import Deprecation, numbers, read
from tests.public_api.listing import MODULES
from unite_core import Unite
from unite_core.deprecation import DEPRECATIONS, deprecated
from unite_core.lazy_names import lazy_names
from unite_core.testing.in_memory import in_memory_unite

TEXT = "`Old.name` is deprecated since 0.1.0: use `Old.new_name`. Removed in 0.3.0, 2027-12-01."
CHANGELOG = CHECKOUT / "CHANGELOG.md"

USES: dict[str, Callable[[Unite], tuple[object, object]]] = {
    "Reports.glance": lambda it: (it.reports.glance, it.reports.day_overview),  # type: ignore[deprecated]  # as it says
    "Reports.remember": lambda it: (it.reports.remember, it.reports.cache_report),  # type: ignore[deprecated]  # the same
    "Upkeep.follow_deliveries": lambda it: (
        it.upkeep.follow_deliveries,  # type: ignore[deprecated]  # the same
        it.upkeep.check_delivery_statuses,
    ),
}
"""For each deprecated name a function that returns its value, and that of what is used instead."""


def deprecations() -> list[Deprecation]:
    """Return all deprecations of both distributions."""
    for module in MODULES.values():
        import_module(module)
    for name, loaded in renamed_modules().items():
        if name != loaded and name.startswith("unite_core."):
            import_module(name)
    return sorted((read(text) for text in DEPRECATIONS - {TEXT}), key=lambda each: each.name)


def overdue(all_of_them: list[Deprecation], version: str, today: date) -> list[str]:
    return [each.name for each in all_of_them if each.is_overdue(version, today)]


def test_every_deprecated_name_is_known_here() -> None:
    assert [each.name for each in deprecations()] == sorted(USES)


@pytest.mark.parametrize("name", USES)
def test_a_deprecated_name_works_and_warns_once(name: str) -> None:
    unite = in_memory_unite()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        former, current = USES[name](unite)

    assert former is current
    [warning] = caught
    assert warning.category is DeprecationWarning
    assert read(str(warning.message)).name == name
    assert warning.filename == __file__


def test_no_deprecated_name_is_past_its_version_or_its_date() -> None:
    """Where this fails, remove the name; the version that it names is the first one without it."""
    assert overdue(deprecations(), unite_core.__version__, datetime.now(UTC).date()) == []


@pytest.mark.parametrize(
    ("version", "today", "expected"),
    [
        ("0.2.9", date(2027, 11, 30), []),
        ("0.3.0", date(2027, 11, 30), ["Old.name"]),
        ("0.10.0", date(2027, 11, 30), ["Old.name"]),
        ("0.1.0", date(2027, 12, 1), ["Old.name"]),
    ],
)
def test_a_name_past_its_version_or_its_date_is_overdue(version: str, today: date, expected: list[str]) -> None:
    assert overdue([read(TEXT)], version, today) == expected


def released_on(version: str, changelog: str) -> date | None:
    """Return the date of a release; None before it."""
    found = re.search(rf"^## \[{re.escape(version)}\] - (\d{{4}}-\d\d-\d\d)$", changelog, re.MULTILINE)
    return None if found is None else date.fromisoformat(found[1])


def is_too_soon(each: Deprecation, changelog: str) -> bool:
    """Return whether a name would go without a minor version and a year after the release that deprecated it."""
    released = released_on(each.since, changelog)
    years = 0 if released is None else each.not_before.year - released.year
    a_year_later = released is None or (years, each.not_before.month, each.not_before.day) >= (
        1,
        released.month,
        released.day,
    )
    return numbers(each.removed_in)[:2] < (numbers(each.since)[0], numbers(each.since)[1] + 2) or not a_year_later


def test_a_name_stays_for_a_minor_version_and_a_year() -> None:
    changelog = CHANGELOG.read_text("utf-8")

    assert [each.name for each in deprecations() if is_too_soon(each, changelog)] == []


@pytest.mark.parametrize(
    ("text", "released", "expected"),
    [
        (TEXT, "2026-12-01", False),
        (TEXT, "2026-12-02", True),
        (TEXT, "2025-12-31", False),
        (TEXT.replace("0.3.0", "0.2.0"), "2026-12-01", True),
        (TEXT.replace("0.3.0", "1.0.0"), "2026-12-01", False),
    ],
)
def test_a_name_that_goes_after_less_than_a_year_or_in_the_next_minor_version_goes_too_soon(
    text: str, released: str, expected: bool
) -> None:
    assert is_too_soon(read(text), f"# Changelog\n\n## [0.1.0] - {released}\n") is expected


def test_the_changelog_has_every_deprecation() -> None:
    sections = re.findall(r"^### Deprecated$(.*?)(?=^##|\Z)", CHANGELOG.read_text("utf-8"), re.MULTILINE | re.DOTALL)

    named = {part for section in sections for part in re.findall(r"`([^`]+)`", section)}

    assert [each.name for each in deprecations() if each.name not in named] == []


@pytest.mark.parametrize("text", ["`a` goes away.", TEXT.replace("2027-12-01", "soon"), f"{TEXT} Sorry.", ""])
def test_a_text_that_leaves_something_out_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not how a deprecation is written"):
        read(text)


def test_a_function_can_be_deprecated() -> None:
    @deprecated(TEXT)
    def add(first: int, *, second: int = 0) -> int:
        """Add."""
        return first + second

    with pytest.warns(DeprecationWarning, match=re.escape(TEXT)) as caught:
        assert add(1, second=2) == 3

    assert [warning.filename for warning in caught] == [__file__]
    assert add.__doc__ == "Add."


def test_a_name_of_a_package_can_be_deprecated() -> None:
    package = ModuleType("a_package")
    package.__dict__["__all__"] = ["Unite"]
    sys.modules[package.__name__] = package
    try:
        load, _ = lazy_names(
            package.__name__,
            {"unite_core.application": ["Unite"]},
            deprecated={"Old": ("unite_core.application", "Unite", TEXT)},
        )
        with pytest.warns(DeprecationWarning, match=re.escape(TEXT)) as caught:
            assert load("Old") is load("Unite") is Unite
    finally:
        del sys.modules[package.__name__]

    assert [warning.filename for warning in caught] == [__file__]
    with pytest.raises(AttributeError):
        load("Older")
