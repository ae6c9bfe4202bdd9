"""Tests of the fake Twilio with Twilio's own library: responses, errors and callbacks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]  # the library tells no types
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]  # the same
from twilio.rest import Client  # type: ignore[import-untyped]  # the same
from werkzeug import Request, Response

from tests.adapters.aws.policy_proxy import served
from tests.servers.twilio import ACCOUNT_SID, AUTH_TOKEN, NUMBER, TwilioStandIn, a_stand_in
from tests.service_process import eventually

TO = "+12025550123"
PUBLIC_URL = "https://unite.example.com"


class ToStandIn(TwilioHttpClient):  # type: ignore[misc]  # the library tells no types
    def __init__(self, url: str) -> None:
        super().__init__()
        self.session.trust_env = False
        self._url = url

    def request(self, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self._url), *arguments, **options)


@pytest.fixture
def client(twilio_server: TwilioStandIn) -> Any:
    return Client(ACCOUNT_SID, AUTH_TOKEN, http_client=ToStandIn(twilio_server.url))


def test_a_message_is_queued_then_sent_then_delivered(client: Any, twilio_server: TwilioStandIn) -> None:
    message = client.messages.create(to=TO, from_=NUMBER, body="[€]")
    assert (message.status, message.date_sent, message.price, message.num_segments) == ("queued", None, None, "1")
    assert abs(message.date_created - datetime.now(UTC)) < timedelta(minutes=1)

    eventually(lambda: message.fetch().status == "delivered", "it is delivered")

    assert twilio_server.callbacks() == []  # nobody wanted to know


@pytest.mark.parametrize(
    ("body", "segments"),
    [("x" * 160, 1), ("x" * 161, 2), ("€" * 80, 1), ("€" * 81, 2), ("☎" * 70, 1), ("☎" * 71, 2), ("😀" * 36, 2)],
)
def test_segments_are_counted_by_gsm_7_and_ucs_2(client: Any, body: str, segments: int) -> None:
    assert client.messages.create(to=TO, from_=NUMBER, body=body).num_segments == str(segments)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"to": "12", "from_": NUMBER, "body": "x"}, 21211),
        ({"to": TO, "body": "x"}, 21603),
        ({"to": TO, "from_": NUMBER}, 21602),
        ({"to": TO, "from_": NUMBER, "body": "x" * 1601}, 21617),
        ({"to": TO, "from_": NUMBER, "body": "x", "status_callback": "unite.example.com"}, 21609),
    ],
)
def test_an_invalid_message_is_refused_with_its_error_code(client: Any, message: dict[str, str], code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        client.messages.create(**message)

    assert (refused.value.status, refused.value.code) == (400, code)


def test_messages_are_paginated_newest_first_and_filtered_by_number_and_date(client: Any) -> None:
    for number in range(5):
        client.messages.create(to=TO, from_=NUMBER, body=str(number))
    client.messages.create(to="+12025550124", from_=NUMBER, body="another")
    eventually(lambda: len(client.messages.list(date_sent=datetime.now(UTC))) == 6, "all are sent")
    day = timedelta(days=1)

    def listed(**filters: Any) -> list[str]:
        return [message.body for message in client.messages.list(page_size=2, **filters)]

    assert listed(to=TO) == ["4", "3", "2", "1", "0"]
    assert listed(to=TO, limit=3) == ["4", "3", "2"]
    assert listed(date_sent_after=datetime.now(UTC) + day) == listed(date_sent_before=datetime.now(UTC) - day) == []
    assert len(listed(date_sent_after=datetime.now(UTC) - day, date_sent_before=datetime.now(UTC) + day)) == 6


def test_an_unsent_message_matches_no_date() -> None:
    with a_stand_in(step_seconds=60) as slow:
        waiting = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=ToStandIn(slow.url))
        waiting.messages.create(to=TO, from_=NUMBER, body="x")

        assert waiting.messages.list(date_sent_after=datetime.now(UTC) - timedelta(days=1)) == []
        assert len(waiting.messages.list()) == 1


def test_a_behaviour_applies_to_its_number_and_a_number_of_times(client: Any, twilio_server: TwilioStandIn) -> None:
    twilio_server.behave({"status": 429, "to": TO, "times": 1}, {"status": 503, "to": "+12025550124"})

    codes = []
    for to in (TO, TO, "+12025550124", "+12025550125"):
        try:
            client.messages.create(to=to, from_=NUMBER, body="x")
            codes.append(0)
        except TwilioRestException as refused:
            codes.append(refused.code)

    assert codes == [20429, 0, 20503, 0]


@pytest.fixture
def heard() -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    received: list[tuple[str, dict[str, str]]] = []

    def answer(request: Request) -> Response:
        received.append((request.environ["REQUEST_URI"], request.form.to_dict()))
        return Response("", status=204)

    with served(answer) as url:
        yield url, received


def test_callbacks_are_sent_to_the_internal_address_and_signed_for_the_public_one(
    heard: tuple[str, list[tuple[str, dict[str, str]]]],
) -> None:
    url, received = heard
    with a_stand_in(public_url=PUBLIC_URL, callback_base=url) as stand_in:
        stand_in.behave({"final_status": "undelivered", "error_code": 30003})
        client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=ToStandIn(stand_in.url))
        sid = client.messages.create(
            to=TO, from_=NUMBER, body="x", status_callback=f"{PUBLIC_URL}/webhooks/twilio/status?delivery=1"
        ).sid
        eventually(lambda: len(stand_in.callbacks()) == 2, "both statuses are told")
        written = stand_in.write_to_us(TO, "STOP", opt_out_type="STOP")

        callbacks = stand_in.callbacks()

    assert written["status"] == 204
    assert [path for path, _ in received] == [
        "/webhooks/twilio/status?delivery=1",
        "/webhooks/twilio/status?delivery=1",
        "/webhooks/twilio/inbound",
    ]
    assert [form["MessageStatus"] for _, form in received[:2]] == ["sent", "undelivered"]
    assert received[1][1]["MessageSid"] == sid
    assert received[1][1]["ErrorCode"] == "30003"
    assert received[2][1]["OptOutType"] == "STOP"
    assert [callback["status"] for callback in callbacks] == [204, 204, 204]
    assert callbacks[0]["url"] == f"{PUBLIC_URL}/webhooks/twilio/status?delivery=1"
