"""Webhooks of Twilio: the status of sent text messages, and received text messages.

Requests are authenticated only by the signature of Twilio. A request that is sent twice has one effect, so no
Idempotency-Key is needed.
"""

import re
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Response, request
from marshmallow import EXCLUDE, Schema, ValidationError

from entrypoints.dead_letters import log_dead_letter
from entrypoints.http.framework import correlation
from entrypoints.http.framework.context import http_config, unite
from entrypoints.http.framework.fields import Body, Id, Text, field_errors_of
from entrypoints.http.framework.json_responses import json_response
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.framework.problems import UnsupportedMediaType
from entrypoints.http.framework.query_string import query_arguments, query_error
from entrypoints.http.framework.request_body import body_bytes
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import Forbidden, Invalid, Malformed
from unite_core.notifications.use_cases import NewConsent, RecordConsent, RecordTextReport, TextReport

FORM_TYPE = "application/x-www-form-urlencoded"
SIGNATURE = "X-Twilio-Signature"

MAX_FORM_BYTES = 64 * 1024
"""Three times the size of the longest text message with every character percent-encoded."""

MAX_FORM_FIELDS = 200
"""A text message with ten pictures, the maximum of Twilio, has about fifty fields."""

_DIGITS = re.compile("[0-9]{1,9}")
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_EMPTY_REPLY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

operations = OperationGroup("webhooks", "Requests from Twilio, verified by their signature.")


class TwilioForm(Body):
    """A form from Twilio; only the fields that are used here are declared."""

    class Meta:
        """The options of the schema: Twilio sends many other fields and may add new ones."""

        unknown = EXCLUDE


class TextStatusForm(TwilioForm):
    """The form with the status of a sent text message."""

    sid = Text(required=True, data_key="MessageSid", metadata={"description": "Twilio's id of the message."})
    status = Text(
        required=True, data_key="MessageStatus", metadata={"description": "`sent`, `delivered`, `failed` and so on."}
    )
    error_code = Text(
        data_key="ErrorCode", metadata={"description": "Twilio's error code if it was not delivered, such as 30003."}
    )
    phone = Text(data_key="To", metadata={"description": "The recipient, E.164."})


class InboundTextForm(TwilioForm):
    """The form with a received text message."""

    sid = Text(required=True, data_key="MessageSid", metadata={"description": "Twilio's id of the message."})
    phone = Text(required=True, data_key="From", metadata={"description": "The sender, E.164."})
    body = Text(data_key="Body", load_default="")
    opt_out_type = Text(
        data_key="OptOutType",
        load_default=None,
        metadata={"description": "STOP, START or HELP if Twilio has recognized the message as one of them."},
    )


_SIGNED = {
    "in": "header",
    "name": SIGNATURE,
    "required": True,
    "description": "Twilio's signature of the URL, as configured in its console, and of all fields of the form.",
    "schema": {"type": "string"},
}
_CORRELATION_ID = {
    "in": "query",
    "name": "correlation_id",
    "required": False,
    "description": "The correlation id of the request that caused the message; the request continues with it.",
    "schema": {"type": "string", "maxLength": 128},
}
_DELIVERY = {
    "in": "query",
    "name": "delivery",
    "required": True,
    "description": "The delivery for which the message was sent.",
    "schema": {"type": "string", "format": "uuid"},
}


def _form_of(schema: type[Schema], example: dict[str, str]) -> dict[str, Any]:
    return {"required": True, "content": {FORM_TYPE: {"schema": schema, "example": example}}}


@operations.operation(
    "POST",
    "/webhooks/twilio/status",
    operation_id="take_text_status",
    use_case=RecordTextReport,
    request_body=_form_of(
        TextStatusForm, {"MessageSid": "SM0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e", "MessageStatus": "delivered"}
    ),
    responses=[ResponseDoc(status=204, description="The status is stored.")],
    problems=["invalid_signature", "malformed_form", "invalid_parameter", "invalid", "too_large"],
    parameters=[_SIGNED, _DELIVERY, _CORRELATION_ID],
    public=True,
    limited=False,
    takes_idempotency_key=False,
    any_query=True,
    max_body=MAX_FORM_BYTES,
)
def receive_text_status() -> Response:
    """Receive a text message's status."""
    signed = _signed_form()
    correlation.continue_with(request.args.get("correlation_id", ""))
    form = _read(TextStatusForm, signed)
    response = {"sid": form["sid"], "status": form["status"]}
    error_code = _number(form.get("error_code"))
    if error_code is not None:
        response["error_code"] = error_code
    report = TextReport(delivery_id=_delivery_id(), response=response, phone=_phone(form.get("phone")))
    dead = retry_on_deadlock(lambda: unite().notifications.record_text_report(report))
    if dead is not None:
        log_dead_letter(dead)
    return json_response(None, 204)


@operations.operation(
    "POST",
    "/webhooks/twilio/inbound",
    operation_id="take_inbound_text",
    use_case=RecordConsent,
    request_body=_form_of(
        InboundTextForm, {"MessageSid": "SM1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f", "From": "+12125550123", "Body": "STOP"}
    ),
    responses=[
        ResponseDoc(
            status=200,
            schema={"type": "string"},
            example=_EMPTY_REPLY,
            content_type="text/xml",
            description="No reply is sent. A message that says neither STOP nor START has no effect.",
        )
    ],
    problems=["invalid_signature", "malformed_form", "invalid", "too_large"],
    parameters=[_SIGNED],
    public=True,
    limited=False,
    takes_idempotency_key=False,
    any_query=True,
    max_body=MAX_FORM_BYTES,
)
def receive_inbound_text() -> Response:
    """Receive a text message."""
    form = _read(InboundTextForm, _signed_form())
    phone = _phone(form["phone"])
    opted_out = http_config().opts_out(form["body"], form["opt_out_type"])
    # A sender without a phone number, such as a short code, is ignored: no text messages are sent to it.
    if phone is not None and opted_out is not None:
        consent = NewConsent(source=form["sid"], phone=phone, opted_out=opted_out)
        retry_on_deadlock(lambda: unite().notifications.record_consent(consent))
    return Response(_EMPTY_REPLY, content_type="text/xml; charset=utf-8")


def _signed_form() -> dict[str, str]:
    """Return the posted form after verifying Twilio's signature.

    Raises `UnsupportedMediaType`, `TooLarge`, `Malformed` and `Forbidden` (`invalid_signature`).
    """
    if request.mimetype != FORM_TYPE:
        raise UnsupportedMediaType(f"Send the form as {FORM_TYPE}.", accepted=(FORM_TYPE,))
    pairs = _pairs(body_bytes().decode(errors="replace"))
    form = dict(pairs)
    verify = http_config().verify_text_signature
    # Twilio sends no field twice. Of a repeated field one value might be verified and the other one be used.
    if verify is None or len(form) < len(pairs) or not verify(_url(), form, request.headers.get(SIGNATURE, "")):
        raise Forbidden(f"{SIGNATURE} is not the signature of this request.", code="invalid_signature")
    return form


def _pairs(form: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(form, keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
    except ValueError:
        raise Malformed(f"The form has more than {MAX_FORM_FIELDS} fields.", code="malformed_form") from None


def _url() -> str:
    """Return the URL that Twilio called, which differs from the URL behind a proxy."""
    query = request.query_string.decode("latin-1")
    return f"{http_config().public_url}{request.path}{'?' if query else ''}{query}"


def _read(schema: type[Schema], form: dict[str, str]) -> dict[str, Any]:
    try:
        # An empty field means the same as a missing one.
        loaded: dict[str, Any] = schema().load({name: value for name, value in form.items() if value})
    except ValidationError as error:
        raise Invalid("The form breaks a rule.", problems=field_errors_of(error.messages)) from error
    return loaded


def _number(code: str | None) -> int | None:
    return int(code) if code is not None and _DIGITS.fullmatch(code) else None


def _phone(sender: str | None) -> str | None:
    return sender if sender is not None and _E164.fullmatch(sender) else None


def _delivery_id() -> UUID:
    try:
        delivery_id: UUID = Id(required=True).deserialize(query_arguments(request).get("delivery", ""))
    except ValidationError as error:
        raise query_error(field_errors_of({"delivery": error.messages})) from error
    return delivery_id
