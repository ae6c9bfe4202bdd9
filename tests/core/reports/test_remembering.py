"""A finished report where nothing is remembered: it is made each time."""

from unite_core.cache import NoCache
from unite_core.identity.model import Role
from unite_core.reports.reading import RememberReport
from unite_core.testing.builders import an_actor


def test_without_a_cache_a_report_is_made_each_time() -> None:
    remember = RememberReport(NoCache())
    made = iter([b"first", b"second"])

    assert remember(an_actor(Role.MANAGER), "a question", lambda: next(made)) == b"first"
    assert remember(an_actor(Role.MANAGER), "a question", lambda: next(made)) == b"second"
