"""Traces of an installation as processes: from a request to all that it causes, and past a collector that is away."""

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.aws.moto import access_to
from tests.adapters.aws.topics import ListenedTo, listened_to
from tests.collector import Collector, ReceivedSpan, collecting
from tests.live_scenario import LiveScenario, call_tasks, iso_time
from tests.servers.twilio import ACCOUNT_SID, AUTH_TOKEN, TwilioStandIn
from tests.service_process import Service, eventually, free_port, service, worker

TRACE, CALLER = "4b" * 16, "f0" * 8
TRACEPARENT = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
PHONE = "+12025550187"
NO_WORKER = ("entrypoints", "serve", "--no-worker")
AN_HOUR = {"OTEL_EXPORTER_OTLP_TIMEOUT": "3600", "OTEL_BSP_SCHEDULE_DELAY": "3600000"}
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "200", "UNITE_LOG_FORMAT": "json"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def topic(aws_url: str) -> ListenedTo:
    return listened_to(access_to(aws_url))


@pytest.fixture
def on_servers(
    tmp_path: Path,
    collector: Collector,
    topic: ListenedTo,
    mysql_database: str,
    mongodb_url: str,
    redis_url: str,
    twilio_server: TwilioStandIn,
) -> Iterator[Service]:
    """A traced API process, and a worker, on servers for everything."""
    settings = {
        **collector.settings,
        **topic.settings,
        **twilio_server.settings,
        **SOON,
        "UNITE_DATABASE_URL": mysql_database,
        "UNITE_MONGODB_URL": mongodb_url,
        "UNITE_REDIS_URL": redis_url,
    }
    one = Service(tmp_path, settings, command=NO_WORKER)
    try:
        one.start()
        with worker(one, "worker"):
            yield one
    finally:
        one.kill_all()


def log_lines(path: Path) -> Sequence[Mapping[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def by_name(spans: Sequence[ReceivedSpan], name: str) -> ReceivedSpan:
    (span,) = [span for span in spans if span.name == name]
    return span


def test_one_trace_runs_from_the_completion_of_a_call_to_the_topic_and_the_text_message(
    on_servers: Service, collector: Collector, topic: ListenedTo, twilio_server: TwilioStandIn
) -> None:
    scenario = LiveScenario(on_servers.client())
    manager, agent = scenario.add_user("manager", PHONE), scenario.add_user("agent")
    (task,) = call_tasks(manager, agent, [scenario.lead("Grace Hopper", assigned_to=agent.id)])
    eventually(lambda: "call_task.created" in {each.type for each in topic.heard()}, "all else is delivered")

    assert agent.client.session.post(
        f"{on_servers.url}/v1/call-tasks/{task}/complete",
        json={"outcome": "connected", "duration_seconds": 60, "started_at": iso_time(timedelta(minutes=-2))},
        headers=TRACEPARENT,
        timeout=90,
    ).ok

    for name in ("deliver topic", "deliver texts", "deliver activity"):
        collector.wait_for(name, within=TRACE)
    (completed,) = eventually(topic.heard, "the topic is told")
    spans = [span for span in collector.spans() if span.trace_id == TRACE]
    request = next(span for span in spans if span.kind == "server")
    assert (request.parent, request.component) == (CALLER, "http")
    assert request.name == f"POST {request.attributes['http.route']}"
    assert request.attributes["http.route"].endswith(">/complete")
    in_request = {span.name: span for span in spans if span.parent == request.id and span.component == "http"}
    assert {"SELECT call_tasks", "INSERT outbox_events", "COMMIT"} <= in_request.keys()
    assert {"redis", "mysql"} <= {str(span.attributes["db.system.name"]) for span in in_request.values()}
    delivered = {name: next(it for it in spans if it.name == f"deliver {name}") for name in ("topic", "texts")}
    assert {(it.parent, it.component) for it in delivered.values()} == {(request.id, "worker")}
    published = by_name(spans, "SNS/PublishBatch")
    assert (published.parent, published.kind) == (delivered["topic"].id, "producer")
    assert delivered["topic"].is_named(completed.traceparent)
    texted = by_name(spans, "POST /2010-04-01/Accounts/{sid}/Messages.json")
    assert texted.parent == delivered["texts"].id
    (message,) = [it for it in twilio_server.messages() if it["to"] == PHONE]
    assert delivered["texts"].attributes["unite.delivery.message_id"] == message["sid"]
    stored = next(span for span in spans if span.attributes.get("db.system.name") == "mongodb")
    assert stored.name.split()[0] in ("insert", "update")
    relay = next(span for span in spans if span.name == "process relay")
    assert (relay.parent, relay.component) == (request.id, "worker")
    assert request.start < min(it.start for it in delivered.values()) < published.start < published.end
    line = next(it for it in log_lines(on_servers.log) if it.get("trace_id") == TRACE and it["message"] == "request")
    assert (line["span_id"], line["route"]) == (request.id, request.attributes["http.route"])
    sent = b"".join(body for _, _, body in collector.requests)
    for secret in (PHONE[1:], "Grace", "@example.com", "Bearer", AUTH_TOKEN, ACCOUNT_SID):
        assert secret.encode() not in sent


@pytest.fixture
def embedded(tmp_path: Path, collector: Collector) -> Iterator[Service]:
    with service(tmp_path, **collector.settings, **SOON) as one:
        one.start()
        yield one


def test_an_import_and_its_undo_are_traced_from_their_requests_without_any_server(
    embedded: Service, collector: Collector
) -> None:
    client = embedded.client()
    client.session.headers.update(TRACEPARENT)
    import_id = client.import_leads(b"Name,Email\nGrace,grace@example.com\n")
    del client.session.headers["traceparent"]
    eventually(lambda: client.lead_import(import_id)["status"] == "completed", "the import completes")

    job = collector.wait_for("process run_import", within=TRACE)
    request = by_name([it for it in collector.spans() if it.trace_id == TRACE], "POST /v1/lead-imports/file")
    assert (request.component, job.component, job.parent) == ("http", "worker", request.id)
    assert job.attributes["unite.job.arguments"] == [import_id]
    eventually(lambda: [it for it in _deliveries(collector, TRACE) if it.parent == job.id], "its events are delivered")

    client.call("POST", f"/v1/lead-imports/{import_id}/undo")

    undo = collector.wait_for("process undo_import")
    begun = eventually(lambda: [it for it in collector.spans() if it.id == undo.parent], "its request is exported")
    assert begun[0].name.endswith("/undo")
    assert undo.trace_id != TRACE


def _deliveries(collector: Collector, trace_id: str) -> Sequence[ReceivedSpan]:
    return [it for it in collector.spans() if it.trace_id == trace_id and it.name == "deliver activity"]


def test_a_service_at_rest_sends_no_traces_and_its_health_checks_none(embedded: Service, collector: Collector) -> None:
    client = embedded.client()
    collector.wait_for("POST /v1/auth/login")
    collector.requests.clear()
    for path in ("/health/ready", "/health/live"):
        assert client.session.get(embedded.url + path, timeout=90).ok
    client.call("GET", "/v1/me")
    collector.wait_for("GET /v1/me")

    # By then the recurring jobs have run, too.
    assert {span.name for span in collector.spans() if span.parent == ""} == {"GET /v1/me"}


@contextmanager
def _silent() -> Iterator[int]:
    """A port at which connections are accepted by the kernel, and nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@contextmanager
def _closed() -> Iterator[int]:
    yield free_port()


@pytest.mark.parametrize("port", [_silent(), _closed()], ids=["silent", "closed"])
def test_a_collector_that_is_no_help_delays_neither_requests_nor_the_stop(tmp_path: Path, port: Any) -> None:
    with port as number:
        settings = {"UNITE_TRACES": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{number}", **AN_HOUR}
        with service(tmp_path, **settings, OTEL_BSP_MAX_QUEUE_SIZE="20", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="10") as one:
            one.start()
            client = one.client()
            for _ in range(20):  # each has several spans
                client.call("GET", "/v1/me")

            assert one.stop() == 0
            assert one.processes() == []
