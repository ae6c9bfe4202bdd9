"""Tests of the signing keys of an installation, and of keys derived for each purpose."""

import stat
from pathlib import Path

import pytest

from adapters.key_derivation import derive_keys
from entrypoints.keys import FILE, load_or_create_keys


def test_keys_are_created_once(tmp_path: Path) -> None:
    made = load_or_create_keys(tmp_path)

    assert load_or_create_keys(tmp_path) == made
    assert [len(secret) >= 32 for secret in made.values()] == [True]
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()

    assert load_or_create_keys(tmp_path / "one") != load_or_create_keys(tmp_path / "other")


def test_the_key_file_is_accessible_to_its_owner_only_even_after_a_change(tmp_path: Path) -> None:
    load_or_create_keys(tmp_path)
    (tmp_path / FILE).chmod(0o644)

    load_or_create_keys(tmp_path)

    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_key_can_be_added_first_by_hand(tmp_path: Path) -> None:
    made = load_or_create_keys(tmp_path)
    (tmp_path / FILE).write_text(f"new:{'n' * 32}," + (tmp_path / FILE).read_text())

    assert load_or_create_keys(tmp_path) == {"new": b"n" * 32, **made}
    assert next(iter(load_or_create_keys(tmp_path))) == "new"


def test_a_damaged_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("")

    with pytest.raises(ValueError, match="name:secret"):
        load_or_create_keys(tmp_path)


def test_each_purpose_has_its_own_keys_with_the_same_names_in_the_same_order() -> None:
    keys = {"new": b"n" * 32, "old": b"o" * 32}

    links, cursors = derive_keys(keys, "links"), derive_keys(keys, "cursors")

    assert list(links) == list(cursors) == ["new", "old"]
    assert len({*keys.values(), *links.values(), *cursors.values()}) == 6
    assert {len(secret) for secret in links.values()} == {32}


def test_a_derived_key_does_not_change_when_another_key_is_added() -> None:
    old = {"old": b"o" * 32}

    assert derive_keys({"new": b"n" * 32, **old}, "links")["old"] == derive_keys(old, "links")["old"]
