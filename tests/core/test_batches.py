"""Clearing away in rounds ends."""

from unite_core.batches import MAX_BATCHES, in_batches


def test_where_more_and_more_is_found_the_rest_is_left_to_the_next_time() -> None:
    assert in_batches(lambda: 5, limit=5, should_stop=lambda: False) == MAX_BATCHES * 5
