"""What Twilio tells of its own accord: what became of a text message, and what people write back.

Whoever calls proves by a signature that they are Twilio; nothing else is asked of them. What is told twice has one
effect, so that there is no need of an Idempotency-Key.
"""

import re
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Response, request
from marshmallow import EXCLUDE, Schema, ValidationError

from entrypoints.dead_letters import log_dead_letter
from entrypoints.http.bodies import body_bytes
from entrypoints.http.context import http_config, unite
from entrypoints.http.fields import Body, Id, Text, field_errors_of
from entrypoints.http.openapi import ResponseDoc
from entrypoints.http.operations import OperationGroup
from entrypoints.http.problems import UnsupportedMediaType
from entrypoints.http.query_string import query_arguments, query_error
from entrypoints.http.rendering import json_response
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import Forbidden, Invalid, Malformed
from unite_core.notifications.webhooks import InboundText, ReceiveInboundText, ReceiveTextStatus, TextStatus

FORM_TYPE = "application/x-www-form-urlencoded"
SIGNATURE = "X-Twilio-Signature"

MAX_FORM_BYTES = 64 * 1024
"""In bytes: three times as much as the longest text message with every character of it percent-encoded."""

MAX_FORM_FIELDS = 200
"""A text message with ten pictures, the most that Twilio hands on, comes with about fifty fields."""

_DIGITS = re.compile("[0-9]{1,9}")
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

room = OperationGroup("webhooks", "Requests from Twilio, verified by their signature.")


class TwilioForm(Body):
    """A form of Twilio's, of which the fields that matter here are named."""

    class Meta:
        """There are many more fields, and new ones may come."""

        unknown = EXCLUDE


class TextStatusForm(TwilioForm):
    """What became of a text message."""

    sid = Text(required=True, data_key="MessageSid", metadata={"description": "Twilio's id of the message."})
    status = Text(
        required=True, data_key="MessageStatus", metadata={"description": "`sent`, `delivered`, `failed` and so on."}
    )
    error_code = Text(
        data_key="ErrorCode", metadata={"description": "Why it was not delivered: a number of Twilio's, such as 30003."}
    )
    phone = Text(data_key="To", metadata={"description": "Whom it was sent to, E.164."})


class InboundTextForm(TwilioForm):
    """A text message that somebody wrote."""

    sid = Text(required=True, data_key="MessageSid", metadata={"description": "Twilio's id of the message."})
    phone = Text(required=True, data_key="From", metadata={"description": "Who wrote it, E.164."})
    body = Text(data_key="Body", load_default="")
    opt_out_type = Text(
        data_key="OptOutType",
        load_default=None,
        metadata={"description": "STOP, START or HELP, where Twilio itself has understood it as one of them."},
    )


_SIGNED = {
    "in": "header",
    "name": SIGNATURE,
    "required": True,
    "description": "Twilio's signature of the URL, as its console has it, and of all fields of the form.",
    "schema": {"type": "string"},
}
_DELIVERY = {
    "in": "query",
    "name": "delivery",
    "required": True,
    "description": "The delivery that the message was sent for.",
    "schema": {"type": "string", "format": "uuid"},
}


def _form_of(schema: type[Schema], example: dict[str, str]) -> dict[str, Any]:
    return {"required": True, "content": {FORM_TYPE: {"schema": schema, "example": example}}}


@room.operation(
    "POST",
    "/webhooks/twilio/status",
    use_case=ReceiveTextStatus,
    request_body=_form_of(
        TextStatusForm, {"MessageSid": "SM0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e", "MessageStatus": "delivered"}
    ),
    answers=[ResponseDoc(status=204, description="It is known now.")],
    problems=["invalid_signature", "malformed_form", "invalid_parameter", "invalid", "too_large"],
    parameters=[_SIGNED, _DELIVERY],
    public=True,
    limited=False,
    takes_idempotency_key=False,
    any_query=True,
    max_body=MAX_FORM_BYTES,
)
def receive_text_status() -> Response:
    """Receive a text message's status."""
    told = _read(TextStatusForm, _signed_form())
    status = TextStatus(
        delivery_id=_delivery_id(),
        sid=told["sid"],
        status=told["status"],
        error_code=_number(told.get("error_code")),
        phone=_phone(told.get("phone")),
    )
    dead = retry_on_deadlock(lambda: unite().notifications.receive_text_status(status))
    if dead is not None:
        log_dead_letter(dead)
    return json_response(None, 204)


@room.operation(
    "POST",
    "/webhooks/twilio/inbound",
    use_case=ReceiveInboundText,
    request_body=_form_of(
        InboundTextForm, {"MessageSid": "SM1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f", "From": "+12125550123", "Body": "STOP"}
    ),
    answers=[
        ResponseDoc(
            status=200,
            schema={"type": "string"},
            example=_NOTHING_TO_SAY,
            content_type="text/xml",
            description="Nothing is written back.",
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
    told = _read(InboundTextForm, _signed_form())
    phone = _phone(told["phone"])
    # Of a sender that has no number, such as a short code, nobody is ever sent anything.
    if phone is not None:
        text = InboundText(sid=told["sid"], phone=phone, body=told["body"], opt_out_type=told["opt_out_type"])
        retry_on_deadlock(lambda: unite().notifications.receive_inbound_text(text))
    return Response(_NOTHING_TO_SAY, content_type="text/xml; charset=utf-8")


def _signed_form() -> dict[str, str]:
    """The form that was posted, once it is certain that Twilio did that.

    Raises `UnsupportedMediaType`, `TooLarge`, `Malformed` and `Forbidden` (`invalid_signature`).
    """
    if request.mimetype != FORM_TYPE:
        raise UnsupportedMediaType(f"Send the form as {FORM_TYPE}.", accepted=(FORM_TYPE,))
    pairs = _pairs(body_bytes().decode(errors="replace"))
    form = dict(pairs)
    good = http_config().verify_text_signature
    # Twilio gives no field twice; what was given twice would be signed as one of the two, and read as the other.
    if good is None or len(form) < len(pairs) or not good(_url(), form, request.headers.get(SIGNATURE, "")):
        raise Forbidden(f"{SIGNATURE} is not the signature of this request.", code="invalid_signature")
    return form


def _pairs(form: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(form, keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
    except ValueError:
        raise Malformed(f"The form has more than {MAX_FORM_FIELDS} fields.", code="malformed_form") from None


def _url() -> str:
    """What Twilio called, which is not what a proxy asks of us."""
    query = request.query_string.decode("latin-1")
    return f"{http_config().public_url}{request.path}{'?' if query else ''}{query}"


def _read(schema: type[Schema], form: dict[str, str]) -> dict[str, Any]:
    try:
        # A field that is empty says as little as one that is not there.
        read: dict[str, Any] = schema().load({name: value for name, value in form.items() if value})
    except ValidationError as error:
        raise Invalid("The form breaks a rule.", problems=field_errors_of(error.messages)) from error
    return read


def _number(code: str | None) -> int | None:
    return int(code) if code is not None and _DIGITS.fullmatch(code) else None


def _phone(sender: str | None) -> str | None:
    return sender if sender is not None and _E164.fullmatch(sender) else None


def _delivery_id() -> UUID:
    try:
        found: UUID = Id(required=True).deserialize(query_arguments(request).get("delivery", ""))
    except ValidationError as error:
        raise query_error(field_errors_of({"delivery": error.messages})) from error
    return found
