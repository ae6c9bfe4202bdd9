"""Measure reports on a large call ledger, compared with plain queries: elapsed time, and CPU of both processes."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from http import HTTPStatus
from uuid import UUID

from sqlalchemy import Connection, Engine

from entrypoints.bootstrap import Started, create_first_admin
from entrypoints.http.app import create_app
from entrypoints.http.framework.json_responses import to_json
from entrypoints.http.process import http_config_of
from entrypoints.http.reports import report_json
from perf import plain_reports
from perf.call_history import agent_ids
from perf.mysql_setup import ADMIN
from unite_core import Actor, Role
from unite_core.periods import Period, moment_of

ZONES = ("UTC", "America/New_York")
SPANS = {"day": 1, "month": 30, "year": 365}
OF_ROLLUPS = ("daily", "insights", "heatmap", "attempts", "leaderboard")
NAMES = (*OF_ROLLUPS, "funnel", "speed_to_lead")
REPEATS = 15
ENOUGH_SECONDS = 4
TURNS = 3

MANAGER = Actor(user_id=UUID(int=1), role=Role.MANAGER)
AGENT = Actor(user_id=agent_ids()[7], role=Role.AGENT)

_CPU_ON = "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME = 'events_statements_cpu'"
_CPU = "SELECT SUM(SUM_CPU_TIME) FROM performance_schema.events_statements_summary_global_by_event_name"
_PICOSECONDS = 10**12


class ServerClock:
    """Reader of the CPU seconds that the server has spent on statements of all clients."""

    def __init__(self, connection: Connection) -> None:
        connection.exec_driver_sql(_CPU_ON)
        self._connection = connection

    def read(self) -> float:
        """Return the CPU seconds so far."""
        return int(self._connection.exec_driver_sql(_CPU).scalar_one()) / _PICOSECONDS


@dataclass(frozen=True, slots=True)
class Times:
    """Durations in milliseconds: the median and the minimum of several runs, and the average CPU time."""

    median: float
    minimum: float
    cpu_here: float
    cpu_of_server: float

    @property
    def cpu(self) -> float:
        """The CPU time of both processes."""
        return self.cpu_here + self.cpu_of_server

    def shown(self) -> str:
        """Return the durations as one line of text."""
        return (
            f"{self.median:.1f} ms (least {self.minimum:.1f}); CPU {self.cpu:.1f} ms:"
            f" Python {self.cpu_here:.1f}, MySQL {self.cpu_of_server:.1f}"
        )


def measure(action: Callable[[], object], clock: ServerClock, repeats: int = REPEATS) -> Times:
    """Measure an action several times, after running it once."""
    action()
    seconds: list[float] = []
    server, here = clock.read(), time.process_time()
    while len(seconds) < repeats and sum(seconds) < ENOUGH_SECONDS:
        since = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - since)
    here, server = time.process_time() - here, clock.read() - server
    per_run = 1000 / len(seconds)
    return Times(1000 * statistics.median(seconds), 1000 * min(seconds), here * per_run, server * per_run)


def report_request(started: Started, name: str, actor: Actor, last: date, days: int, zone: str) -> Callable[[], object]:
    """Return a function that makes a report of that many days and renders it as JSON, as for a request."""
    report, rendered = getattr(started.unite.reports, name), getattr(report_json, name)
    return lambda: to_json(rendered(report(actor, Period(last - timedelta(days=days - 1), last, zone))).content)


def all_reports(
    started: Started,
    clock: ServerClock,
    last: date,
    progress: Callable[[str], None],
    repeats: int = REPEATS,
    names: Sequence[str] = NAMES,
) -> dict[str, str]:
    """Measure these reports of a day, a month and a year, for the calls of all agents and of one."""
    figures = {}
    for name in names:
        for span, days in SPANS.items():
            for zone in ZONES:
                for whose, actor in (("all agents", MANAGER), ("one agent", AGENT)):
                    if name == "daily" and days > 1:
                        continue
                    label = f"{name}, a {span}, {whose}, {zone}"
                    figures[label] = measure(
                        report_request(started, name, actor, last, days, zone), clock, repeats
                    ).shown()
                    progress(f"{label}: {figures[label]}")
    return figures


def from_cache(started: Started, clock: ServerClock, last: date) -> dict[str, str]:
    """Measure requests for cached reports, from the first line to the last byte of the answer."""
    create_first_admin(started)
    client = create_app(started.unite, http_config_of(started)).test_client()
    login = {"email": ADMIN["UNITE_ADMIN_EMAIL"], "password": ADMIN["UNITE_ADMIN_PASSWORD"]}
    token = client.post("/v1/auth/login", json=login).get_json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}

    def ask(path: str) -> None:
        if client.get(path, headers=headers).status_code != HTTPStatus.OK:
            raise SystemExit(f"{path} was not answered.")

    figures = {}
    for name, span in (("daily", "day"), ("insights", "month"), ("insights", "year")):
        first = last - timedelta(days=SPANS[span] - 1)
        days = f"date={last}" if name == "daily" else f"from={first}&to={last}"
        path = f"/v1/reports/{name}?{days}"
        figures[f"GET /v1/reports/{name}, a {span}"] = measure(partial(ask, path), clock).shown()
    return figures


def beside_plain_queries(
    started: Started, engine: Engine, clock: ServerClock, last: date, progress: Callable[[str], None]
) -> Mapping[str, object]:
    """Measure insights of a year and plain queries for the same figures, in turns; compare the figures."""
    period = Period(last - timedelta(days=SPANS["year"] - 1), last, "UTC")
    start, end = moment_of(period.start), moment_of(period.end)
    ask = report_request(started, "insights", MANAGER, last, SPANS["year"], "UTC")
    plain, ours, plain_cpu, ours_cpu = [], [], [], []
    expected: plain_reports.Figures = {}
    with engine.connect() as connection:
        for turn in range(TURNS):
            cpu, since = clock.read(), time.perf_counter()
            expected = plain_reports.run_queries(connection, start, end)
            plain.append(time.perf_counter() - since)
            plain_cpu.append(clock.read() - cpu)
            times = measure(ask, clock)
            ours.append(times.median / 1000)
            ours_cpu.append(times.cpu / 1000)
            progress(f"turn {turn + 1} of {TURNS}: plain queries {plain[-1]:.1f} s, insights {times.shown()}")
    wrong = plain_reports.differences(expected, started.unite.reports.insights(MANAGER, period))
    if wrong:
        raise SystemExit(f"The report and the ledger differ: {', '.join(wrong)}")
    medians = [statistics.median(times) for times in (plain, ours, plain_cpu, ours_cpu)]
    return {
        "plain GROUP BYs over the ledger, s": round(medians[0], 2),
        "insights of a year, uncached, s": round(medians[1], 3),
        "plain / insights": round(medians[0] / medians[1], 1),
        "plain / insights, CPU": round(medians[2] / medians[3], 1),
    }
