"""Test of deletion in batches."""

from unite_core.batches import MAX_BATCHES, in_batches


def test_one_call_deletes_at_most_the_maximum_number_of_batches() -> None:
    assert in_batches(lambda: 5, limit=5, should_stop=lambda: False) == MAX_BATCHES * 5
