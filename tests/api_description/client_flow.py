"""Twelve calls with the Python client that is generated from the API's description.

Usage: python client_flow.py URL EMAIL PASSWORD CSV_FILE

The test beside it generates the client `unite_client`, checks the types of both, and runs this. The type checker needs
no cast: what the description says is enough.
"""

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from unite_client import AuthenticatedClient, Client
from unite_client.api.auth import log_in, log_out
from unite_client.api.call_tasks import complete_call_task, create_call_task
from unite_client.api.lead_import_results import list_rejections
from unite_client.api.lead_imports import get_import, import_file
from unite_client.api.leads import add_lead, change_lead, get_lead, list_leads
from unite_client.api.reports import get_daily_report
from unite_client.api.users import me
from unite_client.models import (
    Completion,
    CompletionOutcome,
    Credentials,
    Daily,
    ImportForm,
    ImportOptions,
    ImportShape,
    ImportShapeStatus,
    LeadPatch,
    LeadPatchStatus,
    NewCallTask,
    NewLead,
    Problem,
)
from unite_client.types import File

ENDED = (ImportShapeStatus.COMPLETED, ImportShapeStatus.FAILED, ImportShapeStatus.CANCELLED)
MAX_READS = 240

T = TypeVar("T")


def result(answer: T | Problem | None) -> T:
    """Return the parsed answer of a call that has to succeed."""
    if answer is None or isinstance(answer, Problem):
        raise SystemExit(f"refused: {answer}")
    return answer


def logged_in(url: str, email: str, password: str) -> AuthenticatedClient:
    """Log in, and return a client with the token."""
    tokens = result(log_in.sync(client=Client(url), body=Credentials(email=email, password=password)))
    return AuthenticatedClient(url, token=tokens.access_token)


def sell(client: AuthenticatedClient) -> None:
    """Add a lead, call it, and find the call in the report of the day."""
    user = result(me.sync(client=client))
    email = f"grace-{uuid4()}@navy.example"
    lead = result(add_lead.sync(client=client, body=NewLead(name="Grace Hopper", email=email, assigned_to=user.id)))
    version = str(lead.version)
    patch = LeadPatch(status=LeadPatchStatus.CONTACTED)
    changed = result(change_lead.sync(lead.id, client=client, body=patch, if_match=f'"{version}"'))
    assert (changed.version, changed.status.value) == (lead.version + 1, "contacted")
    assert result(get_lead.sync(lead.id, client=client)).email == email
    assert lead.id in [each.id for each in result(list_leads.sync(client=client, limit=10)).items]

    due_at = datetime.now(UTC) + timedelta(hours=1)
    task = result(create_call_task.sync(client=client, body=NewCallTask(lead_id=lead.id, due_at=due_at)))
    done = Completion(outcome=CompletionOutcome.CONNECTED, duration_seconds=90)
    assert result(complete_call_task.sync(task.id, client=client, body=done)).duration_seconds == 90
    report = result(get_daily_report.sync(client=client))
    assert isinstance(report, Daily)
    assert report.completed.value >= 1


def import_leads(client: AuthenticatedClient, path: Path) -> ImportShape:
    """Import a file in one call, with options beside it, and wait for its end."""
    with path.open("rb") as payload:
        form = ImportForm(
            file=File(payload, path.name, "text/csv"), options=ImportOptions(default_source="generated client")
        )
        begun = result(import_file.sync(client=client, body=form, idempotency_key=str(uuid4())))
    for _ in range(MAX_READS):
        lead_import: ImportShape = result(get_import.sync(begun.id, client=client))
        if lead_import.status in ENDED:
            return lead_import
        time.sleep(0.25)
    raise SystemExit("the import does not end")


def main(url: str, email: str, password: str, csv_file: str) -> None:
    """Make the twelve calls."""
    client = logged_in(url, email, password)
    sell(client)
    done = import_leads(client, Path(csv_file))
    assert done.status is ImportShapeStatus.COMPLETED
    rejected = result(list_rejections.sync(done.id, client=client)).items
    assert len(rejected) == done.counts.rejected
    print(f"created {done.counts.created}, rejected {[row.code for row in rejected]}")
    ended = log_out.sync_detailed(client=client)
    assert ended.status_code == 204
    refused = me.sync(client=client)
    assert isinstance(refused, Problem)
    assert refused.code.value == "token_revoked"


if __name__ == "__main__":
    main(*sys.argv[1:])
