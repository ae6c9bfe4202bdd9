"""The part of the demonstration that is about calls: a text message, one completion told three times, the ledger."""

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.padding import Padding
from rich.text import Text

from entrypoints.bootstrap import DATABASE_FILE
from entrypoints.cli.demo_people import AMYS_PHONE, Team, print_step, table
from entrypoints.cli.demo_service import POLL_INTERVAL, DemoFailed, command, data_folder, log_records

TASKS = "/v1/call-tasks"
TEXT_TIMEOUT = 30.0
SENT = "A text message would be sent."
"""What the log says of text messages where nobody is set up to carry them."""

CALL = {"outcome": "connected", "duration_seconds": 312, "note": "Wants an offer."}
CHANGE = "UPDATE call_ledger SET outcome = 'converted'"
SHORT_HASH_LENGTH = 16


def show_calls(floor: Team, folder: Path, environ: Mapping[str, str]) -> None:
    """Have Amy make a call, and show what is known of it afterwards."""
    task = _assign(floor, folder)
    _complete(floor, task)
    _show_ledger(floor, folder, environ, task)


def _assign(floor: Team, folder: Path) -> dict[str, Any]:
    shown = floor.console
    print_step(shown, 8, "Mo has Amy call one of her leads, and a text message tells her")
    (lead, *_) = floor.agents["Amy"].call("GET", "/v1/leads?limit=1")["items"]
    due = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    new = {"lead_id": lead["id"], "assigned_to": floor.ids["Amy"], "due_at": due.isoformat()}
    task: dict[str, Any] = floor.manager.call("POST", TASKS, new, expect=201)
    message = _text_to_amy(floor, folder)
    if AMYS_PHONE[1:] in str(message):
        raise DemoFailed("Amy's number is in the log.")
    shown.print(Text(f"  Nobody is set up to carry it, so that the service's log has it; to {message['to']}:"))
    shown.print(Padding(Text(message["text"], style="green"), (0, 0, 0, 2)))
    return task


def _text_to_amy(floor: Team, folder: Path) -> dict[str, Any]:
    until = time.monotonic() + TEXT_TIMEOUT
    while time.monotonic() < until:
        told = floor.manager.call("GET", "/v1/deliveries?destination=texts&status=delivered")["items"]
        messages = list(log_records(folder, SENT))
        if told and messages:
            return messages[0]
        time.sleep(POLL_INTERVAL)
    raise DemoFailed(f"No text message was sent within {TEXT_TIMEOUT:.0f} seconds.")


def _complete(floor: Team, task: Mapping[str, Any]) -> None:
    shown, amy = floor.console, floor.agents["Amy"]
    print_step(shown, 9, "Amy tells what came of the call, three times")
    lead = f"/v1/leads/{task['lead_id']}"
    before = amy.call("GET", lead)["status"]
    told = table("Told", "Answer")
    answers = []
    for how, headers in (
        ("with an Idempotency-Key", {"Idempotency-Key": "amy-1"}),
        ("with the same key", {"Idempotency-Key": "amy-1"}),
        ("without a key", {}),
    ):
        answer = amy.answer("POST", f"{TASKS}/{task['id']}/complete", expect=200, json=CALL, headers=headers)
        replayed = answer.headers.get("Idempotency-Replayed")
        heard = f"{answer.status_code}, version {answer.json()['version']}"
        told.add_row(f"  {how}", f"{heard}, Idempotency-Replayed: {replayed}" if replayed else heard)
        answers.append(answer.json())
    shown.print(told)
    entries = len(floor.manager.call("GET", f"/v1/call-logs?task_id={task['id']}")["items"])
    after = amy.call("GET", lead)["status"]
    if any(answer != answers[0] for answer in answers) or entries != 1 or after == before:
        raise DemoFailed(f"Three times the same call had not one effect: {entries} entries, the lead is {after}.")
    shown.print(f"  One entry in the call log; the lead was {before}, and is {after}.")


def _show_ledger(floor: Team, folder: Path, environ: Mapping[str, str], task: Mapping[str, Any]) -> None:
    shown = floor.console
    print_step(shown, 10, "Mo corrects the call log, which is a chain that nobody changes unnoticed")
    path = f"{TASKS}/{task['id']}/ledger"
    (wrong,) = floor.manager.call("GET", path)["entries"]
    right = {"reason": "Amy spoke to the machine.", "outcome": "voicemail"}
    floor.manager.call("POST", f"/v1/call-logs/{wrong['id']}/corrections", right)
    ledger = floor.manager.call("GET", path)
    entries = table("Entry", "Kind", "Outcome", "Hash of the one before", "Hash")
    for entry in ledger["entries"]:
        hashes = (f"{entry[name][:SHORT_HASH_LENGTH]}…" for name in ("previous_hash", "hash"))
        entries.add_row(f"  {entry['number']}", entry["kind"], entry["outcome"], *hashes)
    shown.print(entries)
    if not ledger["verified"] or len(ledger["entries"]) != 2:
        raise DemoFailed(f"The ledger does not verify: {ledger['broken']}")
    shown.print(f"  {CHANGE}", style="dim")
    shown.print(Text(f"  {_refusal(folder)}", style="red"))
    shown.print("  python -m entrypoints verify-ledger", style="dim")
    shown.print(f"  {command(folder, environ, 'verify-ledger')}")


def _refusal(folder: Path) -> str:
    """What the database says to whoever changes an entry by SQL."""
    with closing(sqlite3.connect(data_folder(folder) / DATABASE_FILE, timeout=TEXT_TIMEOUT)) as database:
        try:
            database.execute(CHANGE)
        except sqlite3.IntegrityError as refused:
            return str(refused)
        finally:
            database.rollback()
    raise DemoFailed("The database let somebody change the call ledger.")
