"""Steps of the demonstration about calls: a text message, an idempotent completion, the call ledger."""

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.padding import Padding
from rich.text import Text

from entrypoints.bootstrap import DATABASE_FILE, MESSAGES_FILE
from entrypoints.cli.demo_people import AMYS_PHONE, Team, print_step, table
from entrypoints.cli.demo_service import POLL_INTERVAL, DemoFailed, command, data_folder, log_file, text_messages

TASKS = "/v1/call-tasks"
TEXT_TIMEOUT = 30.0

CALL = {"outcome": "connected", "duration_seconds": 312, "note": "Wants an offer."}
CHANGE = "UPDATE call_ledger SET outcome = 'converted'"
SHORT_HASH_LENGTH = 16


def show_calls(team: Team, folder: Path, environ: Mapping[str, str]) -> None:
    """Run the steps in which Amy makes a call, and show its entries in the ledger."""
    task = _assign(team, folder)
    _complete(team, task)
    _show_ledger(team, folder, environ, task)


def _assign(team: Team, folder: Path) -> dict[str, Any]:
    out = team.console
    print_step(out, 8, "Mo creates a call task for Amy, who gets a text message")
    (lead, *_) = team.agents["Amy"].call("GET", "/v1/leads?limit=1")["items"]
    due = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    new = {"lead_id": lead["id"], "assigned_to": team.ids["Amy"], "due_at": due.isoformat()}
    task: dict[str, Any] = team.manager.call("POST", TASKS, new, expect=201)
    message = _text_to_amy(team, folder)
    if any(private in log_file(folder).read_text("utf-8", "replace") for private in (AMYS_PHONE, message["text"])):
        raise DemoFailed("Amy's number or her message is in the log.")
    out.print(
        Text(
            f"  No provider is configured, so the message is in {MESSAGES_FILE} of the data folder; to {message['to']}:"
        )
    )
    out.print(Padding(Text(message["text"], style="green"), (0, 0, 0, 2)))
    return task


def _text_to_amy(team: Team, folder: Path) -> dict[str, Any]:
    deadline = time.monotonic() + TEXT_TIMEOUT
    while time.monotonic() < deadline:
        deliveries = team.manager.call("GET", "/v1/deliveries?destination=texts&status=delivered")["items"]
        messages = text_messages(folder)
        if deliveries and messages:
            return messages[0]
        time.sleep(POLL_INTERVAL)
    raise DemoFailed(f"No text message was sent within {TEXT_TIMEOUT:.0f} seconds.")


def _complete(team: Team, task: Mapping[str, Any]) -> None:
    out, amy = team.console, team.agents["Amy"]
    print_step(out, 9, "Amy completes the call task, three times")
    lead = f"/v1/leads/{task['lead_id']}"
    before = amy.call("GET", lead)["status"]
    responses = table("Request", "Response")
    tasks = []
    for how, headers in (
        ("with an Idempotency-Key", {"Idempotency-Key": "amy-1"}),
        ("with the same key", {"Idempotency-Key": "amy-1"}),
        ("without a key", {}),
    ):
        answer = amy.answer("POST", f"{TASKS}/{task['id']}/complete", expect=200, json=CALL, headers=headers)
        replayed = answer.headers.get("Idempotency-Replayed")
        result = f"{answer.status_code}, version {answer.json()['version']}"
        responses.add_row(f"  {how}", f"{result}, Idempotency-Replayed: {replayed}" if replayed else result)
        tasks.append(answer.json())
    out.print(responses)
    entries = len(team.manager.call("GET", f"/v1/call-logs?task_id={task['id']}")["items"])
    after = amy.call("GET", lead)["status"]
    if any(completed != tasks[0] for completed in tasks) or entries != 1 or after == before:
        raise DemoFailed(f"Three equal completions did not have one effect: {entries} entries, the lead is {after}.")
    out.print(f"  One entry in the call log; the lead was {before}, and is {after}.")


def _show_ledger(team: Team, folder: Path, environ: Mapping[str, str], task: Mapping[str, Any]) -> None:
    out = team.console
    print_step(out, 10, "Mo corrects the call log, a hash chain in which every change is detected")
    path = f"{TASKS}/{task['id']}/ledger"
    (entry,) = team.manager.call("GET", path)["entries"]
    correction = {"reason": "Amy spoke to the machine.", "outcome": "voicemail"}
    team.manager.call("POST", f"/v1/call-logs/{entry['id']}/corrections", correction)
    ledger = team.manager.call("GET", path)
    entries = table("Entry", "Kind", "Outcome", "Previous hash", "Hash")
    for entry in ledger["entries"]:
        hashes = (f"{entry[name][:SHORT_HASH_LENGTH]}…" for name in ("previous_hash", "hash"))
        entries.add_row(f"  {entry['number']}", entry["kind"], entry["outcome"], *hashes)
    out.print(entries)
    if not ledger["verified"] or len(ledger["entries"]) != 2:
        raise DemoFailed(f"The ledger does not verify: {ledger['broken']}")
    out.print(f"  {CHANGE}", style="dim")
    out.print(Text(f"  {_refusal(folder)}", style="red"))
    out.print("  python -m entrypoints verify-ledger", style="dim")
    out.print(f"  {command(folder, environ, 'verify-ledger')}")


def _refusal(folder: Path) -> str:
    """Return the database's error for changing an entry by SQL."""
    with closing(sqlite3.connect(data_folder(folder) / DATABASE_FILE, timeout=TEXT_TIMEOUT)) as database:
        try:
            database.execute(CHANGE)
        except sqlite3.IntegrityError as error:
            return str(error)
        finally:
            database.rollback()
    raise DemoFailed("The database allowed a change of the call ledger.")
