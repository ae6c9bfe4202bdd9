"""The application over in-memory adapters."""

from dataclasses import dataclass, fields
from typing import Any

from unite_core.application import Ports, Rules, Unite, build
from unite_core.cache import NoCache
from unite_core.notifications.subscriptions import BUILT_IN
from unite_core.testing.in_memory.activity import InMemoryActivityLog
from unite_core.testing.in_memory.cache import InMemoryCache
from unite_core.testing.in_memory.clock_and_ids import FixedClock, SequentialIds
from unite_core.testing.in_memory.files import InMemoryFiles
from unite_core.testing.in_memory.identity import FastPasswords, FastTokens
from unite_core.testing.in_memory.jobs import InMemoryJobs
from unite_core.testing.in_memory.links import InMemoryLinks
from unite_core.testing.in_memory.messages import InMemoryTextMessages, InMemoryTopic
from unite_core.testing.in_memory.rate_limits import InMemoryRateLimits
from unite_core.testing.in_memory.tables import Store
from unite_core.testing.in_memory.unit_of_work import InMemoryUnitOfWorkFactory
from unite_core.testing.in_memory.upload_notices import InMemoryUploadNotices


@dataclass(frozen=True, kw_only=True)
class InMemoryPorts(Ports):
    """The in-memory adapters, with their own types: `ports.clock.advance(...)`, `ports.jobs.run_all(unite)`."""

    work: InMemoryUnitOfWorkFactory
    reads: InMemoryUnitOfWorkFactory
    files: InMemoryFiles
    jobs: InMemoryJobs
    clock: FixedClock
    ids: SequentialIds
    passwords: FastPasswords
    tokens: FastTokens
    cookies: FastTokens
    limits: InMemoryRateLimits
    activity: InMemoryActivityLog
    topic: InMemoryTopic
    texts: InMemoryTextMessages
    links: InMemoryLinks
    notices: InMemoryUploadNotices

    def __post_init__(self) -> None:
        # Tests replace adapters by others: what is checked are the ports, not the adapters' own types.
        Ports(**{port.name: getattr(self, port.name) for port in fields(self)})


def in_memory_ports(**overrides: Any) -> InMemoryPorts:
    """Return in-memory adapters of all ports. An override replaces the port of its name.

    If `work` is overridden there is no cache, unless one is given too: these units of work would not invalidate it.
    """
    store = Store()
    clock = overrides.pop("clock", None) or FixedClock()
    cache = overrides.pop("cache", None) or (NoCache() if "work" in overrides else InMemoryCache(clock))
    subscriptions = (*BUILT_IN, *(it.subscription for it in overrides.get("destinations", ())))
    ports: dict[str, Any] = {
        "work": InMemoryUnitOfWorkFactory(store, subscriptions=subscriptions, cache=cache),
        "reads": InMemoryUnitOfWorkFactory(store, writes=False),
        "files": InMemoryFiles(clock),
        "jobs": InMemoryJobs(),
        "clock": clock,
        "ids": SequentialIds(),
        "passwords": FastPasswords(),
        "tokens": FastTokens(),
        "cookies": FastTokens(b"of cookies"),
        "limits": InMemoryRateLimits(clock),
        "activity": InMemoryActivityLog(),
        "topic": InMemoryTopic(),
        "texts": InMemoryTextMessages(),
        "links": InMemoryLinks(),
        "cache": cache,
        "notices": InMemoryUploadNotices(clock),
    }
    return InMemoryPorts(**{**ports, **overrides})


def in_memory_unite(rules: Rules | None = None, **overrides: Any) -> Unite:
    """Return the application over `in_memory_ports(**overrides)`; if you need the ports too, call `build` on them."""
    return build(in_memory_ports(**overrides), rules)
