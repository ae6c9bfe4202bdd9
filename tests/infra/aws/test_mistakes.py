"""Tests that mistakes planted in the templates are found."""

from tests.infra.aws.mistakes import PAGE, all_catchers, page


def test_every_mistake_is_found_by_the_documented_check() -> None:
    rows = all_catchers()

    assert len(rows) >= 30
    assert [mistake.name for mistake, caught in rows if not caught] == []
    assert page(rows) == PAGE.read_text("utf-8"), "run `python -m tests.infra.aws.mistakes`"
