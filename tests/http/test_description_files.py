"""Test that docs/openapi.json and the Postman collection are up to date."""

from pathlib import Path

import pytest

from tests.api_description.files import COLLECTION, ENVIRONMENT, OPENAPI, contents


@pytest.fixture(scope="module")
def today() -> dict[Path, str]:
    return contents()


@pytest.mark.parametrize("path", [OPENAPI, COLLECTION, ENVIRONMENT], ids=lambda path: path.name)
def test_the_file_is_up_to_date(path: Path, today: dict[Path, str]) -> None:
    assert path.read_text("utf-8") == today[path], "run `make openapi`"
