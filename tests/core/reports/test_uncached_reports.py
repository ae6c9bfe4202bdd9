"""Test of a report without a cache."""

from datetime import timedelta

from unite_core.cache import NoCache
from unite_core.identity.model import Role
from unite_core.reports.call_queries import CacheReport
from unite_core.testing.builders import an_actor


class Recording(NoCache):
    """Finds nothing, gives no ticket, and records what is put all the same."""

    def __init__(self) -> None:
        self.puts: list[bytes] = []

    def put(self, namespace: str, key: str, value: bytes, *, ticket: str, ttl: timedelta) -> None:  # noqa: ARG002 - the port's
        self.puts.append(value)


def test_without_a_ticket_a_report_is_computed_each_time_and_not_cached() -> None:
    cache = Recording()
    remember = CacheReport(cache)
    made = iter([b"first", b"second"])

    assert remember(an_actor(Role.MANAGER), "a question", lambda: next(made)) == b"first"
    assert remember(an_actor(Role.MANAGER), "a question", lambda: next(made)) == b"second"
    assert cache.puts == []
