"""Routes for the progress of an import, its rejected rows and its error report."""

from typing import Any
from uuid import UUID

from flask import Response, current_app, request
from flask.blueprints import BlueprintSetupState

from entrypoints.capacity import MAX_EVENT_STREAMS_PER_USER
from entrypoints.http.framework.context import actor, bearer_token, http_config, unite
from entrypoints.http.framework.json_responses import to_json
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.framework.paging import page_response, row_after
from entrypoints.http.imports.events import EVENT_STREAM, EventStreams, ImportProgress, has_seen_end
from entrypoints.http.imports.import_json import import_json, rejection_json
from entrypoints.http.imports.request_schemas import RejectionQuery
from entrypoints.http.imports.response_schemas import EXAMPLE_EVENTS, EXAMPLE_REJECTION, RejectionPageShape
from entrypoints.http.imports.routes import PATH
from unite_core.identity.model import Permission
from unite_core.imports import queries
from unite_core.imports.queries import RejectionFilter

STREAMS = "event_streams"

operations = OperationGroup("lead import results", "The progress and the results of imports.")


def _register_streams(state: BlueprintSetupState) -> None:
    state.app.extensions[STREAMS] = EventStreams(state.app.extensions["http_config"].max_event_streams)


operations.record(_register_streams)


@operations.operation(
    "GET",
    f"{PATH}/<uuid:import_id>/events",
    description="The progress of an import as server-sent events: a `progress` event at once and at every change, and "
    "an `end` event when the import has ended. The data of each event is the import. After ten minutes, and when the "
    "access token is no longer valid, the stream ends without an `end`; an EventSource then reconnects by itself and "
    f"misses nothing. Admins and managers only, each with at most {MAX_EVENT_STREAMS_PER_USER} streams.",
    responses=[
        ResponseDoc(
            status=200,
            schema={"type": "string"},
            example=EXAMPLE_EVENTS,
            content_type=EVENT_STREAM,
            description="The events, until the import ends.",
        ),
        ResponseDoc(status=204, description="The client has received the last event already: do not reconnect."),
    ],
    parameters=[
        {
            "in": "header",
            "name": "Last-Event-ID",
            "description": "The id of the last event that the client received; it is not sent again.",
            "schema": {"type": "string"},
        }
    ],
    permission=Permission.IMPORT_LEADS,
    problems=["too_many_streams"],
)
def follow_import(import_id: UUID) -> Response:
    """Stream an import's progress."""
    caller, token, application, public_url = actor(), bearer_token(), unite(), http_config().public_url
    first = application.imports.get(caller, import_id)
    last_seen = request.headers.get("Last-Event-ID")
    if first.status.ended and has_seen_end(last_seen):
        response = Response(status=204)
        del response.headers["Content-Type"]
        return response
    streams: EventStreams = current_app.extensions[STREAMS]
    progress = ImportProgress(
        # The token is checked at every read: a logout, a deactivation or another role ends the stream.
        read=lambda: application.imports.get(application.identity.authenticate(token), import_id),
        render=lambda lead_import: to_json(import_json(lead_import, public_url)),
        pause=streams.pause,
    )
    # The body of a response to HEAD is neither read nor closed by the server.
    head = request.method == "HEAD"
    events = iter(()) if head else streams.open(progress.events(first, last_seen), caller.user_id)
    return Response(events, content_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})


@operations.operation(
    "GET",
    f"{PATH}/<uuid:import_id>/rejections",
    use_case=queries.ListRejections,
    query=RejectionQuery,
    responses=[
        ResponseDoc(
            status=200,
            schema=RejectionPageShape,
            example={"items": [EXAMPLE_REJECTION], "next_cursor": None},
            headers=("Link",),
        )
    ],
    permission=Permission.IMPORT_LEADS,
)
def list_rejections(import_id: UUID, query: dict[str, Any]) -> Response:
    """List an import's rejected rows."""
    filters = RejectionFilter(
        import_id=import_id, kind=query.get("kind"), after_row=row_after(query), limit=query["limit"]
    )
    page = unite().imports.list_rejections(actor(), filters)
    header = unite().imports.get(actor(), import_id).dialect.get("header", [])
    return page_response([rejection_json(row, header) for row in page.items], page.next_row)


@operations.operation(
    "GET",
    f"{PATH}/<uuid:import_id>/error-report",
    use_case=queries.GetErrorReport,
    responses=[
        ResponseDoc(status=302, headers=("Location",), description="The link in `Location` is valid for five minutes.")
    ],
    permission=Permission.IMPORT_LEADS,
    problems=["no_error_report"],
)
def get_error_report(import_id: UUID) -> Response:
    """Download an import's error report."""
    download = unite().imports.get_error_report(actor(), import_id)
    response = Response(status=302, headers={"Location": download.url})
    del response.headers["Content-Type"]
    return response
