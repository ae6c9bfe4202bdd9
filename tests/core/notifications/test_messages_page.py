"""Tests of docs/reference/messages.md against the code."""

import json
import re
from datetime import timedelta

import jsonschema_rs

from tests.conftest import CHECKOUT
from unite_core.notifications.audience import AUDIENCES, DAILY_SUMMARY
from unite_core.notifications.model import DeliveryStatus
from unite_core.notifications.names import MASK
from unite_core.notifications.texts import MIN_SHORTENED_NAME_LENGTH, compose
from unite_core.testing.builders import an_event
from unite_core.testing.in_memory import InMemoryLinks, in_memory_ports
from unite_core.testing.scenario import Scenario

PAGE = (CHECKOUT / "docs" / "reference" / "messages.md").read_text("utf-8")
URL = "https://unite.example"


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    table = re.search(rf"^## {heading}\n(?:.*?\n)??\n((?:\|[^\n]*\n)+)", PAGE, re.MULTILINE | re.DOTALL)
    assert table is not None
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()[2:]]


def test_the_page_lists_the_recipients_of_every_event_type() -> None:
    expected = {
        f"`{kind}`": [audience.role.value, audience.text_to and f"(`{audience.text_to}`)"]
        for kind, audience in AUDIENCES.items()
    }
    table = rows("Recipients of each event")
    page = {kind: [role, re.findall(r"\(`\w+`\)|$", text)[0] or None] for kind, role, text in table}

    assert page == expected
    assert [*page] == [*expected]


def test_the_example_is_valid_by_the_schema() -> None:
    example = re.search(r'^    \{"version".*?\}\}$', PAGE, re.MULTILINE | re.DOTALL)
    schema = json.loads((CHECKOUT / "docs" / "events" / "event.v1.schema.json").read_text("utf-8"))

    assert example is not None
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(json.loads(example[0]))


def test_the_page_shows_the_sent_texts() -> None:
    scenario = Scenario(in_memory_ports(links=InMemoryLinks(f"{URL}/v1")))
    scenario.complete(scenario.create_call_task(due_at=scenario.now + timedelta(minutes=30)))
    scenario.run_jobs()

    shown = [text.strip("`").removesuffix("0195568a-ed4e-…") for _, text in rows("Text messages")[:2]]
    assert [message.text.rpartition("/")[0] + "/" for message in scenario.ports.texts.sent] == shown


def test_the_page_shows_the_text_of_the_daily_summary() -> None:
    figures = {"total_calls": 42, "completed": 38, "missed": 4, "contacts": 21, "conversions": 3}
    nothing = dict.fromkeys(figures, 0)
    shown = [text for kind, text in rows("Text messages") if kind == "daily summary"]
    shown += re.findall(r"reads\n(`[^`]*`)", PAGE)

    texts = [
        compose(an_event(type=DAILY_SUMMARY, data={"date": "2026-03-02", **each}), InMemoryLinks(URL))
        for each in (figures, nothing)
    ]
    assert [text.rpartition(" #")[0] for text in texts] == [text.strip("`").rpartition(" #")[0] for text in shown]


def test_the_page_names_the_limits_and_states_of_the_code() -> None:
    assert f"no fewer than {MIN_SHORTENED_NAME_LENGTH} characters" in PAGE
    assert f"`{MASK}`" in PAGE
    assert [status.strip("`") for status, *_ in rows("States of a delivery")] == [*DeliveryStatus]
