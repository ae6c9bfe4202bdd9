"""Tests of ids beyond the contract of `Ids`: concurrent threads."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from adapters.uuid7 import Uuid7Ids


def test_concurrent_threads_get_increasing_and_unique_ids() -> None:
    ids = Uuid7Ids()

    def some(_: int) -> list[UUID]:
        return [ids.new() for _ in range(5000)]

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(some, range(8)))

    assert all(mine == sorted(mine) for mine in made)
    assert len({one for mine in made for one in mine}) == 8 * 5000
