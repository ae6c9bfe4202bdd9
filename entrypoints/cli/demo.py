"""The `demo` command: run every feature once over HTTP, in a temporary folder."""

import csv
import io
import json
import secrets
import signal
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from entrypoints.cli.demo_calls import show_calls
from entrypoints.cli.demo_people import PEOPLE, Person, Team, add_people, print_step, table
from entrypoints.cli.demo_report import show_report
from entrypoints.cli.demo_service import POLL_INTERVAL, DemoFailed, last_lines, service
from entrypoints.cli.progress import ProgressBar, console, counts_table, rate
from unite_core.imports.csv.error_report import REPORT_COLUMNS, unescape_formula
from unite_core.imports.model import ImportStatus, RowKind

SAMPLE = Path(__file__).resolve().parents[2] / "sample_leads.csv"
IMPORT_TIMEOUT = 60.0
TERMINATED = 143
"""The exit code that shells report for a process that SIGTERM ended."""


def run(_arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Run the demonstration and return the exit code: 0 if every step had the expected result, else 1."""
    # sys.exit runs the cleanup, which the default handler of SIGTERM would skip.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(TERMINATED))
    out = console()
    out.print()
    out.print(Text("Unite, the backend a sales floor runs on", style="bold"))
    with tempfile.TemporaryDirectory(prefix="unite-demo-") as name:
        folder = Path(name)
        try:
            _show(out, folder, environ)
        except DemoFailed as error:
            out.print(Text(f"\nThe demonstration failed. {error}", style="red"))
            out.print(Text(f"The last lines of the service's log:\n{last_lines(folder)}"), soft_wrap=True)
            return 1
    return 0


def _show(out: Console, folder: Path, environ: Mapping[str, str]) -> None:
    began = time.monotonic()
    people = [Person(name, role, secrets.token_urlsafe(12)) for name, role in PEOPLE]
    admin = people[0]
    print_step(out, 1, "Start the service on its embedded default, in a temporary folder")
    with service(folder, environ, (admin.email, admin.password)) as url:
        out.print(f"  It listens at {url}; nothing but this folder is used.")
        team = add_people(out, url, people)
        content = _sample()
        done = _upload(team, content)
        _explain(team, done)
        _correct(team, done)
        _assign_leads(team)
        _refuse(team, content)
        show_calls(team, folder, environ)
        show_report(team)
    out.print()
    took = time.monotonic() - began
    out.print(Text(f"The demonstration took {took:.0f} seconds, and its folder is removed.", style="bold"))
    out.print("  make run     serves on http://127.0.0.1:8000, with its data in ./var")
    out.print("               UNITE_ADMIN_EMAIL and UNITE_ADMIN_PASSWORD name the first admin")
    out.print("  /docs        documents the API of that service; /dashboard shows the day")
    out.print("  make help    lists everything else")


def _sample() -> bytes:
    try:
        return SAMPLE.read_bytes()
    except OSError as error:
        raise DemoFailed(f"{SAMPLE} cannot be read: {error.strerror}.") from error


def _upload(team: Team, content: bytes) -> dict[str, Any]:
    out = team.console
    print_step(out, 3, f"Mo uploads {SAMPLE.name} by a signed link, and has it imported")
    new = {"filename": SAMPLE.name, "size": len(content), "options": {"default_country": "US"}}
    announced = team.manager.call("POST", "/v1/lead-imports", new, expect=201)
    with ProgressBar(out, "upload") as bar:
        team.manager.upload(announced["upload"], content, bar.show)
    team.manager.call("POST", f"/v1/lead-imports/{announced['id']}/start", expect=202)
    done = _follow(team, announced["id"])
    mapped = ", ".join(f"{it['header']} = {it['field']}" for it in done["columns"] if it["field"])
    out.print(Text(f"  Columns: {mapped}"))
    out.print(counts_table(done["counts"]))
    return done


def _follow(team: Team, import_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + IMPORT_TIMEOUT
    with ProgressBar(team.console, "import") as bar:
        while True:
            current: dict[str, Any] = team.manager.call("GET", f"/v1/lead-imports/{import_id}")
            so_far = current["progress"]
            more = rate(current["counts"]["rows"], so_far["rows_per_second"], so_far["eta_seconds"])
            bar.show(so_far["bytes_done"], so_far["bytes_total"], more)
            if ImportStatus(current["status"]).ended:
                break
            if time.monotonic() > deadline:
                raise DemoFailed(f"The import was not done within {IMPORT_TIMEOUT:.0f} seconds.")
            time.sleep(POLL_INTERVAL)
    counts = current["counts"]
    if current["status"] != ImportStatus.COMPLETED:
        raise DemoFailed(f"The import is {current['status']}: {current['failure']}")
    if counts["rows"] != sum(counts[it] for it in ("created", "updated", "duplicate", "rejected")):
        raise DemoFailed(f"The counts do not add up: {counts}")
    return current


def _explain(team: Team, done: Mapping[str, Any]) -> None:
    out = team.console
    print_step(out, 4, "What was wrong with the rest, row by row")
    explanations = table("Row", "Kind", "Why", "Suggestion")
    rejections = team.manager.call("GET", f"/v1/lead-imports/{done['id']}/rejections?limit=200")["items"]
    for row in rejections:
        cells = (f"  {row['row']}", row["kind"], row["message"], row["suggestion"] or "")
        explanations.add_row(*map(Text, cells), style="" if row["kind"] == RowKind.REJECTED else "dim")
    out.print(explanations)
    if len(rejections) != done["counts"]["duplicate"] + done["counts"]["rejected"]:
        raise DemoFailed("Not every rejected row is explained.")


def _correct(team: Team, done: Mapping[str, Any]) -> None:
    out = team.console
    print_step(out, 5, "Mo corrects the error report and uploads it as it is")
    report = team.manager.answer("GET", f"/v1/lead-imports/{done['id']}/error-report").content
    fields = {it["field"]: it["header"] for it in done["columns"] if it["field"]}
    header, rows = _read_csv(report)
    if len(rows) != done["counts"]["rejected"]:
        raise DemoFailed(f"The error report has {len(rows)} rows.")
    number, field, _, _, suggestion = REPORT_COLUMNS
    corrected = 0
    for row in rows:
        column = fields.get(row[field])
        if column and row[suggestion]:
            corrected_value = unescape_formula(row[suggestion])
            out.print(Text(f"  row {row[number]}: {unescape_formula(row[column])} becomes {corrected_value}"))
            row[column] = corrected_value
            corrected += 1
    if not corrected:
        raise DemoFailed("No row came with a suggestion.")
    filename = f"{SAMPLE.stem}.errors.csv"
    again = team.manager.call(
        "POST",
        "/v1/lead-imports/file",
        expect=202,
        files={"file": (filename, _written_csv(header, rows), "text/csv")},
        data={"options": json.dumps({"default_country": "US"})},
    )
    ended = _follow(team, again["id"])
    out.print(counts_table(ended["counts"]))
    if ended["counts"]["created"] != corrected:
        raise DemoFailed(f"{corrected} rows were corrected, and {ended['counts']['created']} leads created.")


def _assign_leads(team: Team) -> None:
    out = team.console
    print_step(out, 6, "Mo assigns leads, and each agent sees only their own")
    leads = team.manager.call("GET", "/v1/leads?limit=5")["items"]
    own: dict[str, list[str]] = {"Amy": [it["id"] for it in leads[:3]], "Ben": [it["id"] for it in leads[3:]]}
    for agent, lead_ids in own.items():
        for lead_id in lead_ids:
            team.manager.call("PATCH", f"/v1/leads/{lead_id}", {"assigned_to": team.ids[agent]}, expect=200)
    visible = table("User", "Response to GET /v1/leads")
    for agent, client in team.agents.items():
        items = client.call("GET", "/v1/leads?limit=200")["items"]
        if {it["id"] for it in items} != set(own[agent]):
            raise DemoFailed(f"{agent} sees {len(items)} leads instead of {len(own[agent])}.")
        visible.add_row(f"  {agent}", f"{len(items)} leads: {', '.join(it['name'] for it in items)}")
        for other in set(own) - {agent}:
            client.answer("GET", f"/v1/leads/{own[other][0]}", expect=404)
    visible.add_row("  each", "404 for a lead of the other agent")
    everything = team.manager.call("GET", "/v1/leads?limit=200")["items"]
    visible.add_row("  Mo", f"{len(everything)} leads")
    out.print(visible)


def _refuse(team: Team, content: bytes) -> None:
    out = team.console
    print_step(out, 7, "Amy tries to import leads, which agents may not")
    new = {"filename": "mine.csv", "size": len(content)}
    problem = team.agents["Amy"].call("POST", "/v1/lead-imports", new, expect=403)
    out.print(Text(f"  {problem['status']} {problem['code']}: {problem['detail']}"))


def _read_csv(content: bytes) -> tuple[Sequence[str], list[dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    rows = list(reader)
    return list(reader.fieldnames or ()), rows


def _written_csv(header: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, header)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()
