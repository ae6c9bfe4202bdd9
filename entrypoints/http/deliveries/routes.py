"""Routes for deliveries of events: list and replay."""

from typing import Any
from uuid import UUID

from flask import Response

from entrypoints.http.deliveries.schemas import (
    DELIVERY_EXAMPLE,
    REPLAYED_EXAMPLE,
    DeliveryPageSchema,
    DeliveryQuery,
    DeliverySchema,
    delivery_json,
)
from entrypoints.http.framework.context import actor, unite
from entrypoints.http.framework.idempotency import ResponseContent, ResponsePlan, check_readable, run_use_case
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.framework.paging import page_request, page_response
from entrypoints.http.framework.query_string import query_error
from unite_core.identity.model import Permission
from unite_core.notifications.model import Delivery
from unite_core.notifications.ports import MAX_NAME_LENGTH, DeliveryFilter
from unite_core.notifications.use_cases import ListDeliveries, ReplayDelivery
from unite_core.text import text_error

operations = OperationGroup("deliveries", "The delivery of events to the activity log, the topic and text messages.")


@operations.operation(
    "GET",
    "/v1/deliveries",
    use_case=ListDeliveries,
    query=DeliveryQuery,
    responses=[
        ResponseDoc(
            status=200,
            schema=DeliveryPageSchema,
            example={"items": [DELIVERY_EXAMPLE], "next_cursor": None},
            headers=("Link",),
        )
    ],
    permission=Permission.LIST_DELIVERIES,
)
def list_deliveries(query: dict[str, Any]) -> Response:
    """List deliveries."""
    destination = query.get("destination")
    problem = text_error("destination", destination or "", max_length=MAX_NAME_LENGTH)
    if problem is not None:
        raise query_error([problem])
    filters = DeliveryFilter(status=query.get("status"), destination=destination, event_id=query.get("event_id"))
    page = unite().notifications.list_deliveries(actor(), filters, page_request(query))
    return page_response(map(delivery_json, page.items), page.next)


@operations.operation(
    "POST",
    "/v1/deliveries/<uuid:delivery_id>/replay",
    use_case=ReplayDelivery,
    responses=[ResponseDoc(status=200, schema=DeliverySchema, example=REPLAYED_EXAMPLE)],
    permission=Permission.REPLAY_DELIVERIES,
    problems=["not_dead"],
)
def replay_delivery(delivery_id: UUID) -> Response:
    """Replay a delivery."""
    answering = ResponsePlan(_replayed, check_readable(unite().notifications.get_delivery))
    return run_use_case(unite().notifications.replay, answering, delivery_id)


def _replayed(replayed: Delivery) -> ResponseContent:
    return ResponseContent(200, delivery_json(replayed))
