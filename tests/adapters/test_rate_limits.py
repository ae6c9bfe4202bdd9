"""Local rate limits beyond the contract of `RateLimits`: threads, and names that anybody makes up."""

from concurrent.futures import ThreadPoolExecutor

from adapters.rate_limits import HITS_BETWEEN_SWEEPS, LocalRateLimits


def test_of_many_threads_exactly_as_many_hits_pass_as_the_limit_says() -> None:
    limits = LocalRateLimits()

    with ThreadPoolExecutor(16) as threads:
        passed = list(threads.map(lambda _: limits.hit("somebody", 50).allowed, range(200)))

    assert sum(passed) == 50


def test_a_key_without_hits_is_forgotten() -> None:
    limits = LocalRateLimits()
    limits._storage.events["long ago"] = []

    for _ in range(HITS_BETWEEN_SWEEPS):
        limits.hit("somebody", 10)

    assert "long ago" not in limits._storage.events
    assert not limits.peek("somebody", 10).allowed
