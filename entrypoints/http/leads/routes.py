"""Routes for leads: create, list, get, update and delete; and the lead filters that other routes use."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response

from entrypoints.http.framework.conditional import etag, expected_version, versioned_response
from entrypoints.http.framework.context import actor, unite
from entrypoints.http.framework.idempotency import ResponseContent, ResponsePlan, check_readable, run_use_case
from entrypoints.http.framework.json_responses import json_response
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.framework.paging import page_request, page_response
from entrypoints.http.framework.query_string import query_error
from entrypoints.http.leads.schemas import (
    LEAD_EXAMPLE,
    NEW_LEAD_EXAMPLE,
    LeadPageSchema,
    LeadPatchSchema,
    LeadQuery,
    LeadSchema,
    NewLeadSchema,
    lead_json,
)
from unite_core.errors import FieldError
from unite_core.leads.details import COMPANY, SOURCE, TextField
from unite_core.leads.model import Lead
from unite_core.leads.ports import LeadFilter
from unite_core.leads.queries import GetLead, ListLeads
from unite_core.leads.search import query_error as search_query_error
from unite_core.leads.use_cases import CreateLead, DeleteLead, LeadChanges, LeadToDelete, NewLead, UpdateLead
from unite_core.text import clean

operations = OperationGroup("leads", "Leads: people who might buy, their contact details and their agents.")

_LEAD = ResponseDoc(status=200, schema=LeadSchema, example=LEAD_EXAMPLE, headers=("ETag",))


@operations.operation(
    "POST",
    "/v1/leads",
    operation_id="add_lead",
    use_case=CreateLead,
    body=NewLeadSchema,
    body_example=NEW_LEAD_EXAMPLE,
    responses=[ResponseDoc(status=201, schema=LeadSchema, example=LEAD_EXAMPLE, headers=("Location", "ETag"))],
    problems=["forbidden", "not_found", "duplicate_lead"],
)
def create_lead(body: dict[str, Any]) -> Response:
    """Create a lead."""
    return run_use_case(unite().leads.add, ResponsePlan(_added, check_readable(unite().leads.get)), NewLead(**body))


@operations.operation(
    "GET",
    "/v1/leads",
    use_case=ListLeads,
    query=LeadQuery,
    responses=[
        ResponseDoc(
            status=200,
            schema=LeadPageSchema,
            example={"items": [LEAD_EXAMPLE], "next_cursor": None},
            headers=("Link",),
        )
    ],
)
def list_leads(query: dict[str, Any]) -> Response:
    """List leads."""
    page = unite().leads.list(actor(), lead_filter(query), page_request(query))
    return page_response(map(lead_json, page.items), page.next)


@operations.operation("GET", "/v1/leads/<uuid:lead_id>", use_case=GetLead, responses=[_LEAD], if_none_match=True)
def get_lead(lead_id: UUID) -> Response:
    """Get a lead."""
    lead = unite().leads.get(actor(), lead_id)
    return versioned_response(lead.version, lambda: lead_json(lead))


@operations.operation(
    "PATCH",
    "/v1/leads/<uuid:lead_id>",
    operation_id="change_lead",
    use_case=UpdateLead,
    body=LeadPatchSchema,
    body_example={"status": "contacted", "email": None},
    responses=[_LEAD],
    problems=["forbidden", "duplicate_lead"],
    if_match=True,
)
def update_lead(lead_id: UUID, body: dict[str, Any]) -> Response:
    """Update a lead."""
    changes = LeadChanges(lead_id=lead_id, expected_version=_expected(lead_id), **body)
    lead = unite().leads.change(actor(), changes)
    return json_response(lead_json(lead), headers={"ETag": etag(lead.version)})


@operations.operation(
    "DELETE",
    "/v1/leads/<uuid:lead_id>",
    use_case=DeleteLead,
    responses=[ResponseDoc(status=204, description="The lead is in no list any more.")],
    problems=["forbidden"],
    if_match=True,
)
def delete_lead(lead_id: UUID) -> Response:
    """Delete a lead."""
    unite().leads.delete(actor(), LeadToDelete(lead_id=lead_id, expected_version=_expected(lead_id)))
    return json_response(None, 204)


def _added(lead: Lead) -> ResponseContent:
    return ResponseContent(201, lead_json(lead), {"Location": f"/v1/leads/{lead.id}", "ETag": etag(lead.version)})


def _expected(lead_id: UUID) -> int | None:
    return expected_version(lambda: unite().leads.get(actor(), lead_id).version)


def lead_filter(query: Mapping[str, Any]) -> LeadFilter:
    """Return the filter for a query of `LeadQuery`; raise `MalformedParameter`."""
    assignees = set(query.get("assigned_to", ()))
    return LeadFilter(
        statuses=frozenset(query.get("status", ())),
        sources=source_filter(query.get("source", ())),
        companies=text_filter(COMPANY, query.get("company", ())),
        assigned_to=frozenset(assignees - {None}),
        unassigned=None in assignees,
        q=_search_query(query.get("q")),
        created_from=query.get("created_from"),
        created_to=query.get("created_to"),
        called=query.get("called"),
        call_outcomes=frozenset(outcome.value for outcome in query.get("call_result", ())),
        called_within=timedelta(seconds=query["called_within"]) if "called_within" in query else None,
    )


def source_filter(given: Iterable[str]) -> frozenset[str]:
    """Return the sources of a filter as leads have them; raise `MalformedParameter` if one is invalid."""
    return text_filter(SOURCE, given)


def text_filter(field: TextField, given: Iterable[str]) -> frozenset[str]:
    """Return the keys that a filter by the field compares; raise `MalformedParameter` if no lead can have a value."""
    keys = []
    for text in given:
        key = field.read_key(clean(text))
        if isinstance(key, FieldError):
            raise query_error([key])
        keys.append(key)
    return frozenset(keys)


def _search_query(given: str | None) -> str | None:
    problem = None if given is None else search_query_error("q", given)
    if problem is not None:
        raise query_error([problem])
    return given
