"""Draws trace.svg: the trace of a call that is completed, as a service on real servers has sent it to a collector.

`make picture-trace` runs it. It needs the packages of the tests, and Docker or the programs that tests start.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from tests.adapters.aws.moto import access_to
from tests.adapters.aws.topics import listened_to
from tests.collector import Collector, ReceivedSpan, collecting
from tests.live_scenario import LiveScenario, call_tasks, iso_time
from tests.servers.fixtures import new_mysql_database
from tests.servers.kinds import ServerKind
from tests.servers.mongodb import MONGODB
from tests.servers.moto import MOTO
from tests.servers.mysql import MYSQL
from tests.servers.redis import REDIS
from tests.servers.run import OwnRun
from tests.servers.servers import Servers
from tests.servers.twilio import a_stand_in
from tests.service_process import Service, eventually, worker

PICTURE = Path(__file__).resolve().with_name("trace.svg")
PHONE = "+12025550187"
LAST = ("deliver activity", "deliver topic", "deliver texts")

WIDTH, LABELS, ROW = 1180, 500, 20
TOP, MARGIN, INDENT = 76, 16, 16
COLOURS = {
    ("http", "server"): "#1d4ed8",
    ("http", "client"): "#93b4f5",
    ("worker", "consumer"): "#b45309",
    ("worker", "producer"): "#f59e0b",
    ("worker", "client"): "#f5cf93",
}
MEANINGS = {
    ("http", "server"): "API: the request",
    ("http", "client"): "API: calls to servers",
    ("worker", "consumer"): "worker: jobs and deliveries",
    ("worker", "client"): "worker: calls to servers",
    ("worker", "producer"): "worker: the message to the topic",
}
TEXT = 'font-family="system-ui, Helvetica, Arial, sans-serif"'


@contextmanager
def traced_service(folder: Path) -> Iterator[tuple[Service, Collector]]:
    """Run an API process and a worker on a server for everything, and a collector that they send their traces to."""
    with ExitStack() as stack:
        run = OwnRun()
        stack.callback(run.end)
        servers = Servers(run, lambda sentence: print(sentence, file=sys.stderr))

        def url(kind: ServerKind) -> str:
            return servers.shared(kind).url

        collector = stack.enter_context(collecting())
        settings = {
            **collector.settings,
            **listened_to(access_to(url(MOTO))).settings,
            **stack.enter_context(a_stand_in()).settings,
            "UNITE_DATABASE_URL": stack.enter_context(new_mysql_database(servers.shared(MYSQL), "picture")),
            "UNITE_MONGODB_URL": f"{re.sub(r'/[^/]*$', '', url(MONGODB))}/unite_{uuid4().hex[:12]}",
            "UNITE_REDIS_URL": url(REDIS),
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        one = Service(folder, settings, command=("entrypoints", "serve", "--no-worker"))
        stack.callback(one.kill_all)
        one.start()
        stack.enter_context(worker(one, "worker"))
        yield one, collector


def completed_call(one: Service, collector: Collector) -> Sequence[ReceivedSpan]:
    """Complete a call; return the trace of that."""
    scenario = LiveScenario(one.client())
    manager, agent = scenario.add_user("manager", PHONE), scenario.add_user("agent")
    # The second one finds connections open and statements compiled, as nearly all do.
    tasks = call_tasks(manager, agent, [scenario.lead(name, assigned_to=agent.id) for name in ("Grace", "Ada")])
    trace: Sequence[ReceivedSpan] = ()
    for number, task in enumerate(tasks):
        trace_id = f"{number + 1:032x}"
        begun = iso_time(timedelta(minutes=-2))
        agent.client.session.headers["traceparent"] = f"00-{trace_id}-{'0' * 15}1-01"
        agent.complete(task, outcome="connected", duration_seconds=60, started_at=begun)
        for name in LAST:
            collector.wait_for(name, within=trace_id)
        trace = eventually(partial(_whole, collector, trace_id), "the trace is complete")
    return trace


def _whole(collector: Collector, trace_id: str) -> Sequence[ReceivedSpan]:
    """The spans of a trace, once all that they follow from are there and each delivery is followed by its answer."""
    spans = [span for span in collector.spans() if span.trace_id == trace_id]
    known = {span.id for span in spans}
    roots = [span for span in spans if span.parent not in known]
    answered = [span for span in spans if span.attributes.get("unite.event.type") == "delivery.answered"]
    return spans if len(roots) == 1 and len(answered) >= 2 else ()


def in_order(spans: Sequence[ReceivedSpan]) -> Iterator[tuple[int, ReceivedSpan]]:
    """Yield the spans as a tree: each with its depth, before those that follow from it."""
    known = {span.id for span in spans}

    def below(parent: str | None, depth: int) -> Iterator[tuple[int, ReceivedSpan]]:
        for span in spans:
            if span.parent == parent if parent is not None else span.parent not in known:
                yield depth, span
                yield from below(span.id, depth + 1)

    yield from below(None, 0)


def svg(spans: Sequence[ReceivedSpan]) -> str:
    """Return the drawing of a trace: a row for each span, whose bar shows when it was."""
    begun, ended = min(span.start for span in spans), max(span.end for span in spans)
    scale = (WIDTH - LABELS - 90) / (ended - begun)
    rows = list(in_order(spans))
    height = TOP + ROW * len(rows) + MARGIN
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'{TEXT} font-size="12">'
        ),
        f'<title>One trace: a call is completed</title><rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        (
            f'<text x="{MARGIN}" y="26" font-size="16" font-weight="600" fill="#111827">One trace: a call is '
            f"completed, {(ended - begun) / 1e6:.0f} ms from the request to the last delivery</text>"
        ),
    ]
    x = float(MARGIN)
    for key, meaning in MEANINGS.items():
        parts.append(f'<rect x="{x}" y="42" width="12" height="12" rx="2" fill="{COLOURS[key]}"/>')
        parts.append(f'<text x="{x + 18}" y="52" fill="#374151">{escape(meaning)}</text>')
        x += 40 + 6.4 * len(meaning)
    for number, (depth, span) in enumerate(rows):
        y = TOP + ROW * number
        left = LABELS + (span.start - begun) * scale
        width = max(2.0, (span.end - span.start) * scale)
        if number % 2 == 0:
            parts.append(f'<rect x="0" y="{y - 2}" width="{WIDTH}" height="{ROW}" fill="#f3f4f6"/>')
        weight = ' font-weight="600"' if span.kind in ("server", "consumer") else ""
        label = escape(_label(span))
        parts.append(f'<text x="{MARGIN + INDENT * depth}" y="{y + 12}" fill="#111827"{weight}>{label}</text>')
        colour = COLOURS[span.component, span.kind]
        parts.append(
            f'<rect x="{left:.1f}" y="{y + 2}" width="{width:.1f}" height="{ROW - 8}" rx="2" fill="{colour}"/>'
            f'<text x="{left + width + 5:.1f}" y="{y + 12}" font-size="11" fill="#4b5563">'
            f"{(span.end - span.start) / 1e6:.1f} ms</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _label(span: ReceivedSpan) -> str:
    """The name of a span, with the server of a call or the type of an event."""
    system = span.attributes.get("db.system.name")
    kind = span.attributes.get("unite.event.type")
    about = span.attributes.get("unite.job.arguments") or ()
    return " · ".join([span.name, *(str(each) for each in (system, kind, *about) if each)])


def main() -> None:
    """Run the service, complete a call, and draw its trace."""
    with TemporaryDirectory() as folder, traced_service(Path(folder)) as (one, collector):
        spans = completed_call(one, collector)
    PICTURE.write_text(svg(spans), "utf-8")
    print(PICTURE.name, f"{len(spans)} spans")


if __name__ == "__main__":
    main()
