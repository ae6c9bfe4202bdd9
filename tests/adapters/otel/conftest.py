"""Fixtures for tracing: a collector on this machine, and a process that sends it what it traces."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest

from adapters.otel.tracing import OtelTracing, TraceExport
from tests.collector import Collector, ReceivedSpan, collecting
from tests.service_process import eventually


@pytest.fixture(scope="module")
def shared_collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def collector(shared_collector: Collector) -> Collector:
    """A collector that has got nothing yet."""
    shared_collector.requests.clear()
    return shared_collector


@dataclass
class Traced:
    """A traced process, and the spans that the collector has got from it."""

    tracing: OtelTracing
    collector: Collector

    def job(self) -> AbstractContextManager[None]:
        """A span to make calls in."""
        return self.tracing.job("tests.jobs.work", (), None, begins_trace=True)

    def spans(self) -> Sequence[ReceivedSpan]:
        """End the process; return its spans."""
        self.tracing.close()
        return self.collector.spans()

    def calls(self) -> Sequence[ReceivedSpan]:
        """End the process; return its spans but those of jobs."""
        return [span for span in self.spans() if span.name != "process work"]

    def sent(self) -> bytes:
        """All bytes that the collector got."""
        return b"".join(body for _, _, body in self.collector.requests)


Begin = Callable[..., Traced]


@pytest.fixture
def begin(collector: Collector) -> Iterator[Begin]:
    """Begin to trace, with these options of `TraceExport`."""
    begun: list[Traced] = []

    def begin(**options: object) -> Traced:
        usual: dict[str, object] = {"endpoint": f"{collector.url}/v1/traces", "resource": {"service.name": "unite"}}
        begun.append(Traced(OtelTracing(TraceExport(**{**usual, **options})), collector))  # type: ignore[arg-type]  # as a test has it
        return begun[-1]

    yield begin
    for each in begun:
        each.tracing.close()
    # Such a thread may still log that the collector of a test is gone.
    eventually(lambda: not any(thread.name.startswith("OtelBatch") for thread in threading.enumerate()), "no export")


@pytest.fixture
def traced(begin: Begin) -> Traced:
    return begin()
