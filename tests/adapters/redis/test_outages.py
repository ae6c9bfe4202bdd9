"""Tests of the application during outages of Redis: no request fails, and no outdated value is read afterwards."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from redis import Redis

from adapters.rate_limits import LocalRateLimits
from adapters.redis.cache import RedisCache
from adapters.redis.connection import RedisServer
from adapters.redis.rate_limits import RedisRateLimits
from tests.adapters.redis.conftest import OwnRedis, server_at
from unite_core import Credentials, LeadChanges, LeadFilter, NewLead, NewUser, PageRequest, Role, Unauthenticated, Unite
from unite_core.testing.builders import an_actor
from unite_core.testing.in_memory import FixedClock, in_memory_unite

ADMIN = an_actor()
TROUBLES = (OwnRedis.kill, OwnRedis.start, OwnRedis.freeze, OwnRedis.thaw, OwnRedis.kill, OwnRedis.start)
CHANGES = 100
"""After each of the troubles."""


@pytest.fixture
def server(own_redis: OwnRedis) -> Iterator[RedisServer]:
    server = server_at(own_redis.url, timeout=0.5, failure_threshold=1, recovery_timeout=0.1)
    yield server
    server.close()


@pytest.fixture
def unite(server: RedisServer) -> Unite:
    clock = FixedClock()
    limits = RedisRateLimits(server, clock, LocalRateLimits(clock))
    return in_memory_unite(clock=clock, cache=RedisCache(server, secret=b"s" * 32, clock=clock), limits=limits)


def test_every_read_sees_earlier_commits_during_and_after_outages(
    unite: Unite, server: RedisServer, own_redis: OwnRedis
) -> None:
    lead = unite.leads.add(ADMIN, NewLead(name="0", phone="+12125550123"))
    committed = lead.version
    over = Event()

    def read() -> list[tuple[int, int]]:
        """The versions that were committed when a read began, and the older ones that it saw."""
        old = []
        while not over.is_set():
            known = committed
            listed = unite.leads.list(ADMIN, LeadFilter(), PageRequest()).items[0]
            seen = min(unite.leads.get(ADMIN, lead.id).version, listed.version)
            if seen < known:
                old.append((known, seen))
        return old

    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(read) for _ in range(3)]
        try:
            for trouble in TROUBLES:
                trouble(own_redis)
                for number in range(CHANGES):
                    changes = LeadChanges(lead_id=lead.id, name=f"{trouble.__name__} {number}")
                    committed = unite.leads.change(ADMIN, changes).version
        finally:
            over.set()

    assert [reader.result() for reader in readers] == [[], [], []]
    assert committed == 1 + CHANGES * len(TROUBLES)
    _used_again(unite, server, own_redis)


@pytest.mark.parametrize("trouble", [OwnRedis.kill, OwnRedis.freeze])
def test_logging_in_and_out_works_without_redis(
    unite: Unite, own_redis: OwnRedis, trouble: Callable[[OwnRedis], None]
) -> None:
    new = NewUser(email="ann@unite.example", name="Ann", role=Role.AGENT, password="correct horse battery")
    unite.identity.create_user(ADMIN, new)
    trouble(own_redis)

    pair = unite.identity.log_in(Credentials(email=new.email, password=new.password, address="192.0.2.1"))
    ann = unite.identity.authenticate(pair.access_token)
    unite.identity.log_out(ann)

    with pytest.raises(Unauthenticated):
        unite.identity.authenticate(pair.access_token)


def _used_again(unite: Unite, server: RedisServer, own_redis: OwnRedis) -> None:
    deadline = time.monotonic() + 30
    with Redis.from_url(own_redis.url) as redis:
        while not redis.keys("unite:cache:value:*"):
            assert time.monotonic() < deadline
            unite.leads.list(ADMIN, LeadFilter(), PageRequest())
    assert server.breaker_state == "closed"
