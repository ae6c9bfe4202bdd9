"""Write docs/reference/events.md: every type of event and the fields of its data, from a scenario with all of them.

`make diagrams` writes it; a test fails where it is out of date.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from unite_core import CallOutcome, Event, LeadToDelete, OnDuplicate
from unite_core.leads.events import image_added, image_deleted
from unite_core.notifications.events import delivery_reported
from unite_core.testing.builders import a_lead, a_user, an_id, an_image
from unite_core.testing.scenario import HOUR, Scenario

PAGE = Path(__file__).resolve().parent.parent / "reference" / "events.md"

HEAD = """# Events

This page lists every type of event, and the fields of its `data`. A destination gets them as
`unite_core.Event`; some are also published to the topic ([Messages](messages.md)). Ids and moments in `data` are text:
UUIDs, and RFC 3339 in UTC. `lead.changed` has the fields that were changed, each with its value before and after.
"""

NOTHING = "\N{EN DASH}"


def page() -> str:
    """Return the page as it should be."""
    rows = ["| event | about | data |", "|---|---|---|"]
    by_type: dict[str, list[Event]] = {}
    for event in all_events():
        by_type.setdefault(event.type, []).append(event)
    for name, events in sorted(by_type.items()):
        rows.append(f"| `{name}` | {_about(events)} | {_fields([event.data for event in events])} |")
    return "\n".join([HEAD, *rows, ""])


def all_events() -> list[Event]:
    """Return all events of a scenario in which every type occurs."""
    scenario = Scenario()
    _leads(scenario)
    _calls(scenario)
    _imports(scenario)
    _summary(scenario)
    scenario.unite.work_once()
    (delivery, *_) = scenario.tables.deliveries.values()
    image = an_image(a_lead(), a_user())
    return [
        *scenario.events(),
        delivery_reported(an_id(), scenario.now, delivery),
        image_added(an_id(), scenario.now, scenario.admin, image),
        image_deleted(an_id(), scenario.now, scenario.admin, image),
    ]


def _leads(scenario: Scenario) -> None:
    lead = scenario.update_lead(scenario.create_lead(), name="Grace Murray Hopper")
    scenario.unite.leads.delete(scenario.admin, LeadToDelete(lead_id=lead.id))


def _calls(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    task = scenario.assign(task, scenario.ben)
    task = scenario.add_note(task, "She is in after four.")
    scenario.complete(task, scenario.ben, outcome=CallOutcome.CALLBACK_REQUESTED, follow_up_at=scenario.now + HOUR)
    scenario.correct(task)
    scenario.cancel(scenario.create_call_task())
    scenario.miss(scenario.create_call_task())


def _imports(scenario: Scenario) -> None:
    scenario.import_file([("Ada Lovelace", "+12125550180")])
    updated = scenario.import_file(
        [("Ada King", "+12125550180"), ("Alan Turing", "+12125550181")], on_duplicate=OnDuplicate.UPDATE
    )
    scenario.unite.imports.undo(scenario.admin, updated.id)


def _summary(scenario: Scenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00", tz="UTC")
    scenario.advance(timedelta(hours=10))


def _about(events: list[Event]) -> str:
    about = [
        name
        for name, known in (
            ("leads", any(event.lead_ids for event in events)),
            ("an import", any(event.import_id for event in events)),
            ("a delivery", any(event.delivery_id for event in events)),
        )
        if known
    ]
    return ", ".join(about) or NOTHING


def _fields(data: list[Mapping[str, Any]]) -> str:
    names = sorted({name for each in data for name in each})
    return ", ".join(f"`{name}`" for name in names) or NOTHING


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(PAGE)
