"""Tests of the lock files: they pin everything that the lists ask for, with hashes."""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

FOLDER = CHECKOUT / "requirements"
SETS = sorted(path.stem for path in FOLDER.glob("*.in"))

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)", re.MULTILINE)


_PERMITTED = re.compile(
    r"(MIT|Apache|BSD|ISC|PSF|Python Software Foundation|Unlicense|MPL-2\.0|Mozilla Public License 2\.0)", re.IGNORECASE
)
_COPYLEFT = re.compile(r"GPL|General Public|SSPL|Server Side|BUSL|Commons Clause", re.IGNORECASE)
"""What would reach into the service by being installed beside it."""


def _canonical(name: str) -> str:
    """The name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _asked(path: Path) -> set[str]:
    """Return the package names in a list and in the lists that it includes."""
    names = set()
    for line in path.read_text("utf-8").splitlines():
        line = line.partition("#")[0].strip()  # noqa: PLW2901  # the rest of a line is a comment
        if line.startswith("-r "):
            names |= _asked(path.parent / line[3:].strip())
        elif match := _NAME.match(line):
            names.add(_canonical(match.group()))
    return names


def _pinned(set_: str) -> dict[str, str]:
    text = (FOLDER / f"{set_}.txt").read_text("utf-8")
    return {_canonical(name): version for name, version in _PIN.findall(text)}


@pytest.mark.parametrize("name", SETS)
def test_every_required_package_is_pinned(name: str) -> None:
    assert _asked(FOLDER / f"{name}.in") <= _pinned(name).keys()


@pytest.mark.parametrize("name", SETS)
def test_every_pin_has_a_hash(name: str) -> None:
    text = (FOLDER / f"{name}.txt").read_text("utf-8")
    pins = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)

    bare = [pin.splitlines()[0] for pin in pins if "==" in pin and "--hash=sha256:" not in pin]

    assert _pinned(name)
    assert not bare


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("core", "service"),
        ("service", "otel"),
        ("otel", "test"),
        ("test", "lint"),
        ("test", "fuzz"),
        ("test", "mutation"),
        ("lint", "api"),
    ],
)
def test_a_set_contains_the_previous_set_in_the_same_versions(smaller: str, larger: str) -> None:
    assert _pinned(smaller).items() <= _pinned(larger).items()


def _licences(package: str) -> list[str]:
    """What an installed package says of its licence, in the three ways that there are; raises PackageNotFoundError."""
    package_metadata = metadata(package)
    named = [each for key in ("License-Expression", "License") for each in package_metadata.get_all(key) or []]
    return named + [each for each in package_metadata.get_all("Classifier") or [] if each.startswith("License ::")]


def test_the_licences_of_all_packages_of_the_service_permit_distribution() -> None:
    results = {}
    for package in _pinned("service") | _pinned("otel"):
        try:
            results[package] = _licences(package)
        except PackageNotFoundError:  # it is for another version of Python
            continue

    assert len(results) > 50
    refused = {
        package: licences
        for package, licences in results.items()
        if not any(map(_PERMITTED.search, licences)) or any(map(_COPYLEFT.search, licences))
    }
    assert refused == {}


def test_packages_are_installed_only_from_the_lock_files() -> None:
    for name in SETS:
        lines = (FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
        strange = [
            line for line in lines if line and not re.match(r"\s+(--hash=sha256:[0-9a-f]{64}|#)|[a-z0-9._-]+==", line)
        ]
        assert strange == [], "an address, an option, or a package without a version"
