"""Tests of the filenames of downloads: the given name, without anything harmful."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unite_core.files import MAX_DOWNLOAD_NAME_LENGTH, download_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("portrait.png", "portrait.png"),
        ("Portrait.PNG", "Portrait.png"),
        ("Grace Hopper, 山田.png", "Grace Hopper, 山田.png"),
        ("portrait", "portrait.png"),
        ("invoice.exe", "invoice.exe.png"),
        ("page.html", "page.html.png"),
        ("photo\u202egnp.exe", "photognp.exe.png"),
        ("../../.ssh/authorized_keys", "_.._.ssh_authorized_keys.png"),
        ("C:\\Windows\\system.ini", "C__Windows_system.ini.png"),
        ('a"b;c\r\nd.png', "a_b;cd.png"),
        (".png", "png.png"),
        ("..", "file.png"),
        ("", "file.png"),
        ("\u200b", "file.png"),
    ],
)
def test_a_harmless_name_is_kept_and_a_harmful_one_is_cleaned(name: str, expected: str) -> None:
    assert download_name(name, ".png") == expected


def test_one_of_several_extensions_is_sufficient() -> None:
    names = ["a.jpeg", "a.jpg", "a.png"]

    assert [download_name(name, ".jpg", ".jpeg") for name in names] == ["a.jpeg", "a.jpg", "a.png.jpg"]


@given(st.text(max_size=300))
def test_any_name_results_in_one_filename_with_the_right_extension(name: str) -> None:
    filename = download_name(name, ".errors.csv")

    assert filename.endswith(".errors.csv")
    assert not set(filename) & set('/\\:*?"<>|')
    assert not filename.startswith((".", " "))
    assert {unicodedata.category(character) for character in filename}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    assert len(filename) <= MAX_DOWNLOAD_NAME_LENGTH + len(".errors.csv")
