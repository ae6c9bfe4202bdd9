"""Fuzz target for webhook forms. The first byte chooses the route and the query."""

from collections.abc import Iterator
from urllib.parse import urlencode

from tests.fuzz.service import fuzzed_service
from tests.fuzz.target import Target

_DELIVERY = "01890a5d-ac96-774b-bcce-b302099a8057"
_QUERIES = (f"?delivery={_DELIVERY}", "", "?delivery=", f"?delivery={_DELIVERY}&delivery=1", "?delivery=%ff&x")
_REFUSED = (400, 403, 404, 422)


def check(data: bytes) -> None:
    service = fuzzed_service()
    choice, body = (data[:1] or b"\0")[0], data[1:]
    path = "/webhooks/twilio/inbound" if choice & 1 else "/webhooks/twilio/status"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": "any"}
    query = _QUERIES[(choice >> 1) % len(_QUERIES)]
    answer = service.ask(service.people[-1], "POST", path + query, data=body, headers=headers)
    assert answer.status_code in (200, 204, *_REFUSED), answer.status_code


def _seeds() -> Iterator[bytes]:
    status = {"MessageSid": "SM0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e", "MessageStatus": "delivered", "To": "+12125550123"}
    for state in ("sent", "undelivered", "failed"):
        yield b"\0" + urlencode({**status, "MessageStatus": state, "ErrorCode": "21610"}).encode()
    inbound = {"MessageSid": "SM1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f", "From": "+12125550123", "Body": "STOP"}
    for body in ("STOP", "start", " Unsubscribe. ", "Hello, w\u00f6rld", ""):
        yield b"\1" + urlencode({**inbound, "Body": body, "OptOutType": "STOP"}).encode()


target = Target(
    name="webhook_form",
    check=check,
    seeds=_seeds,
    tokens=(
        *(b"&", b"=", b"%", b"+", b";", b"MessageSid=", b"MessageStatus=", b"ErrorCode=", b"To=", b"From=", b"Body="),
        *(
            b"OptOutType=",
            b"STOP",
            b"START",
            b"HELP",
            b"delivered",
            b"failed",
            b"undelivered",
            b"sent",
            b"queued",
            b"30003",
        ),
        *(b"%2B12125550123", b"%00", b"%ff", b"%ed%a0%80", b"%CC%81", b"%CC%A3", b"%E2%80%8B", b"%0A", b"SM0b1c"),
        *(b"9" * 10, b"MessageSid=a&MessageSid=b", b"\xff", b"\0", b"%", b"%2", b"%C4%B0"),
    ),
)
