"""Routes for the activity of leads, imports and deliveries."""

from typing import Any
from uuid import UUID

from flask import Response

from entrypoints.http.activity.schemas import (
    DELIVERY_EVENT_EXAMPLE,
    EVENT_EXAMPLE,
    IMPORT_EVENT_EXAMPLE,
    ActivityPageSchema,
    event_json,
)
from entrypoints.http.framework.context import actor, unite
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.framework.paging import PageQuery, page_request, page_response
from entrypoints.http.imports.routes import PATH as IMPORTS
from unite_core.identity.model import Permission
from unite_core.imports.queries import GetImportActivity
from unite_core.leads.queries import GetLeadActivity
from unite_core.notifications.use_cases import GetDeliveryActivity

operations = OperationGroup("activity", "The history of leads, imports and deliveries.")


@operations.operation(
    "GET",
    "/v1/leads/<uuid:lead_id>/activity",
    use_case=GetLeadActivity,
    query=PageQuery,
    responses=[
        ResponseDoc(
            status=200,
            schema=ActivityPageSchema,
            example={"items": [EVENT_EXAMPLE], "next_cursor": None},
            headers=("Link",),
        )
    ],
)
def get_lead_activity(lead_id: UUID, query: dict[str, Any]) -> Response:
    """List a lead's activity."""
    page = unite().leads.activity(actor(), lead_id, page_request(query))
    return page_response(map(event_json, page.items), page.next)


@operations.operation(
    "GET",
    f"{IMPORTS}/<uuid:import_id>/activity",
    use_case=GetImportActivity,
    query=PageQuery,
    responses=[
        ResponseDoc(
            status=200,
            schema=ActivityPageSchema,
            example={"items": [IMPORT_EVENT_EXAMPLE], "next_cursor": None},
            headers=("Link",),
        )
    ],
    permission=Permission.IMPORT_LEADS,
)
def get_import_activity(import_id: UUID, query: dict[str, Any]) -> Response:
    """List an import's activity."""
    page = unite().imports.activity(actor(), import_id, page_request(query))
    return page_response(map(event_json, page.items), page.next)


@operations.operation(
    "GET",
    "/v1/deliveries/<uuid:delivery_id>/activity",
    use_case=GetDeliveryActivity,
    query=PageQuery,
    responses=[
        ResponseDoc(
            status=200,
            schema=ActivityPageSchema,
            example={"items": [DELIVERY_EVENT_EXAMPLE], "next_cursor": None},
            headers=("Link",),
        )
    ],
    permission=Permission.LIST_DELIVERIES,
)
def get_delivery_activity(delivery_id: UUID, query: dict[str, Any]) -> Response:
    """List a delivery's activity."""
    page = unite().notifications.activity(actor(), delivery_id, page_request(query))
    return page_response(map(event_json, page.items), page.next)
