"""What is exported, when, and that nothing waits for a collector for long."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.trace import Status, StatusCode

from adapters.otel.export import _LOGGERS, LOG_INTERVAL, ExportLog
from entrypoints.redaction import redacted_value
from tests.adapters.otel.conftest import Begin, Traced
from tests.collector import Collector
from tests.service_process import eventually, free_port

AN_HOUR = "3600"
SAMPLED = 1
"""The bit of a span's flags that says that it is recorded."""


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exporter that waits for an hour for the collector, and exports by itself as rarely."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", AN_HOUR)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")


@contextmanager
def listening() -> Iterator[str]:
    """A port at which connections are accepted by the kernel, and nobody reads."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1/traces"


@pytest.mark.usefixtures("patient")
def test_at_the_end_of_a_job_its_spans_are_exported_at_once(traced: Traced, collector: Collector) -> None:
    with traced.job():
        pass

    eventually(collector.spans, "the spans are exported")


@pytest.mark.usefixtures("patient")
def test_at_the_end_of_a_process_its_spans_are_exported(traced: Traced, collector: Collector) -> None:
    traced.tracing.traced(lambda *_: [], lambda _: None)(
        {"PATH_INFO": "/", "REQUEST_METHOD": "GET", "wsgi.url_scheme": "http"}, lambda *_: None
    )
    assert collector.spans() == []

    traced.tracing.close()

    assert [span.name for span in collector.spans()] == ["GET"]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.usefixtures("patient")
def test_a_forked_process_exports_the_spans_of_its_job_before_it_ends(traced: Traced, collector: Collector) -> None:
    with traced.job():  # it leaves a connection to the collector open
        pass
    eventually(collector.spans, "the spans of this process are exported")

    child = os.fork()
    if child == 0:
        try:
            with traced.tracing.job("tests.jobs.of_the_fork", (), None, begins_trace=True):
                pass
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    assert [span.name for span in collector.spans()] == ["process work", "process of_the_fork"]
    with traced.job():
        pass
    eventually(lambda: len(collector.spans()) == 3, "this process still reaches the collector")


@pytest.mark.usefixtures("patient")
def test_a_collector_that_never_answers_delays_neither_a_job_nor_the_end(begin: Begin) -> None:
    with listening() as endpoint:
        traced = begin(endpoint=endpoint)
        for _ in range(3000):  # more than the queue takes
            with traced.job():
                pass

        traced.tracing.close()


@pytest.mark.usefixtures("patient")
def test_a_collector_that_is_closed_delays_neither_a_job_nor_the_end(begin: Begin) -> None:
    traced = begin(endpoint=f"http://127.0.0.1:{free_port()}/v1/traces")
    with traced.job():
        pass

    traced.tracing.close()


@pytest.mark.usefixtures("patient")
def test_a_failed_export_is_a_warning(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    traced = begin(endpoint=f"http://127.0.0.1:{free_port()}/v1/traces", close_seconds=0.2)
    for logger in map(logging.getLogger, _LOGGERS):
        logger.filters[:] = [ExportLog()]
    with traced.job():
        pass

    traced.tracing.close()

    eventually(lambda: caplog.records, "the failure is logged")
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_the_same_failure_is_logged_once_a_minute() -> None:
    times = iter([0.0, 1.0, 1.0, LOG_INTERVAL - 1, LOG_INTERVAL])
    log = ExportLog(lambda: next(times))
    failed, full = (logging.makeLogRecord({"msg": msg, "levelno": logging.ERROR}) for msg in ("Failed.", "Full."))

    assert [log.filter(record) for record in (failed, failed, full, failed, failed)] == [True, False, True, False, True]
    assert (failed.levelno, failed.levelname) == (logging.WARNING, "WARNING")


def test_no_secret_and_no_personal_data_leaves_the_process(begin: Begin) -> None:
    traced = begin(redact=redacted_value)
    with traced.job():
        span = traced.tracing.calls.start("call ann@example.com", {"phone": "12025550187", "what": "+12025550187"})
        span.add_event("note", {"text": "Bearer abcdefghijkl", "count": 3})
        span.record_exception(ValueError("?token=abcdefghijkl"))
        span.set_status(Status(StatusCode.ERROR, "mia@example.com"))
        span.end()

    (call,) = traced.calls()
    assert (call.name, call.description) == ("call a…@example.com", "m…@example.com")
    assert call.attributes == {"phone": "[redacted]", "what": "+…87"}
    sent = traced.sent()
    for secret in (b"ann@", b"mia@", b"2025550187", b"abcdefghijkl"):
        assert secret not in sent
    assert b"Bearer [redacted]" in sent


def test_the_headers_of_the_settings_are_sent(begin: Begin, collector: Collector) -> None:
    traced = begin(headers={"x-key": "a key"})
    with traced.job():
        pass
    traced.spans()

    path, headers, _ = collector.requests[0]
    assert path == "/v1/traces"
    assert {name.lower(): value for name, value in headers.items()}["x-key"] == "a key"


def test_the_environment_describes_a_process_further(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "sales")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.version=9")
    traced = begin(resource={"service.name": "unite", "service.version": "0.1.0", "unite.component": "worker"})
    with traced.job():
        pass

    (job,) = traced.spans()
    assert job.resource["service.name"] == "sales"
    assert job.resource["service.version"] == "9"
    assert job.resource["deployment.environment.name"] == "test"
    assert job.component == "worker"


def test_the_ratio_decides_about_what_begins_here(begin: Begin) -> None:
    traced = begin(ratio=0.0)
    with traced.job():
        assert traced.tracing.log_fields().keys() == {"trace_id", "span_id"}
        name = traced.tracing.traceparent()
        assert name is not None
        assert not int(name[-2:], 16) & SAMPLED

    assert traced.spans() == []
