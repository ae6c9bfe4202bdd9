"""Tests of the pause before failed work is retried."""

from unite_core.jobs import FIRST_BACKOFF, MAX_BACKOFF, backoff_after


def test_work_that_has_not_failed_has_no_pause() -> None:
    assert backoff_after(0) == 0


def test_the_pause_doubles_with_each_failure_up_to_a_limit() -> None:
    assert [backoff_after(failures) for failures in (1, 2, 3)] == [FIRST_BACKOFF, 2 * FIRST_BACKOFF, 4 * FIRST_BACKOFF]
    assert backoff_after(10) == backoff_after(100_000) == MAX_BACKOFF
