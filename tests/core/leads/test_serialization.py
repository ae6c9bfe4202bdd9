"""Tests of the conversion of leads to JSON values and back."""

import json
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from unite_core.leads.details import LeadDetails, LeadStatus
from unite_core.leads.model import Lead
from unite_core.leads.ports import LeadFilter
from unite_core.leads.serialization import (
    details_of,
    from_plain,
    own_fields,
    page_digest,
    page_from_plain,
    page_to_plain,
    to_plain,
)
from unite_core.paging import Page, PageRequest, Position
from unite_core.phone import Phone
from unite_core.testing.builders import a_lead, an_id
from unite_core.testing.in_memory import A_MONDAY_MORNING

LATER = A_MONDAY_MORNING + timedelta(microseconds=1)
FULL = a_lead(
    name="Zoë 小明",
    phone=Phone("+12125550123", "7"),
    email="zoe@example.com",
    company="Łódź & Söhne",
    status=LeadStatus.QUALIFIED,
    assigned_to=an_id(),
    updated_at=LATER,
    created_by=an_id(),
    import_id=an_id(),
    import_row=2,
    version=3,
)
SPARSE = a_lead(phone=None, email="zoe@example.com")


@pytest.mark.parametrize("lead", [FULL, SPARSE, a_lead()], ids=["full", "without a phone", "without an extension"])
def test_a_lead_is_converted_to_json_and_back(lead: Lead) -> None:
    assert from_plain(json.loads(json.dumps(to_plain(lead)))) == lead


def test_every_field_of_a_lead_is_converted() -> None:
    assert set(to_plain(FULL)) == {field.name for kind in (Lead, LeadDetails) for field in fields(kind)} - {
        "deleted_at",
        "details",
    }


def test_fields_that_older_details_lack_are_taken_from_the_other_details() -> None:
    before = own_fields(a_lead(name="Ada", company="Acme").details)
    del before["company"]

    assert details_of(before, FULL.details).company == FULL.details.company
    assert details_of(before, FULL.details).name == "Ada"


@pytest.mark.parametrize("after", [None, Position(LATER, an_id())], ids=["last", "not last"])
def test_a_page_is_converted_to_json_and_back(after: Position | None) -> None:
    page = Page([FULL, SPARSE], after)

    assert page_from_plain(json.loads(json.dumps(page_to_plain(page)))) == page


CONDITIONS: dict[str, Any] = {
    "statuses": frozenset({LeadStatus.NEW}),
    "sources": frozenset({"api"}),
    "companies": frozenset({"acme"}),
    "assigned_to": frozenset({an_id()}),
    "unassigned": True,
    "q": "grace",
    "created_from": A_MONDAY_MORNING,
    "created_to": A_MONDAY_MORNING,
    "called": False,
    "call_outcomes": frozenset({"busy"}),
    "called_within": timedelta(minutes=5),
    "visible_to": an_id(),
}


def test_different_filters_or_pages_have_different_digests() -> None:
    everything, first = LeadFilter(), PageRequest()
    asked = [
        (everything, first),
        *((replace(everything, **{name: value}), first) for name, value in CONDITIONS.items()),
        (LeadFilter(q="ada byron"), first),
        (everything, PageRequest(limit=3)),
        (everything, PageRequest(after=Position(LATER, FULL.id))),
        (everything, PageRequest(after=Position(LATER, SPARSE.id))),
        (everything, PageRequest(after=Position(A_MONDAY_MORNING, FULL.id))),
    ]

    assert CONDITIONS.keys() == {field.name for field in fields(LeadFilter)}
    assert len({page_digest(*each) for each in asked}) == len(asked)


def test_the_digest_does_not_depend_on_the_order_of_values() -> None:
    some = list(LeadStatus)

    digests = {
        page_digest(LeadFilter(statuses=frozenset(named)), PageRequest()) for named in (some, list(reversed(some)))
    }

    assert len(digests) == 1
