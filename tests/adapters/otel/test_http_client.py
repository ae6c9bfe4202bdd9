"""Spans of requests to Twilio: the template of the path, without numbers."""

from functools import partial

import pytest

from adapters.otel.http_client import TracedAdapter
from adapters.twilio.connection import Account, Twilio
from adapters.twilio.messages import Sender, TwilioTextMessages
from tests.adapters.otel.conftest import Traced
from tests.servers.twilio import ACCOUNT_SID, NUMBER, TwilioStandIn
from tests.service_process import free_port
from unite_core.errors import NotFound, Unavailable
from unite_core.testing.contracts.messages import a_text


def texts_at(url: str, token: str, traced: Traced) -> TwilioTextMessages:
    twilio = Twilio(
        Account(sid=ACCOUNT_SID, auth_token=token, base_url=url),
        transport=partial(TracedAdapter, traced.tracing.calls),
    )
    return TwilioTextMessages(twilio, sender=Sender(number=NUMBER), public_url="https://unite.example.com")


def test_a_message_is_a_span_that_names_neither_number_nor_account(
    twilio_server: TwilioStandIn, traced: Traced
) -> None:
    message = a_text("Unite: call Grace.")
    texts = texts_at(twilio_server.url, twilio_server.auth_token, traced)

    with traced.job():
        sid = texts.send(message, may_have_been_sent=True).response["sid"]
        with pytest.raises(NotFound):
            texts.look_up("SM" + "0" * 32)

    job, searched, created, looked_up = traced.spans()
    template = "/2010-04-01/Accounts/{sid}/Messages.json"
    assert [(span.name, span.kind, span.parent) for span in (searched, created)] == [
        (f"GET {template}", "client", job.id),
        (f"POST {template}", "client", job.id),
    ]
    assert looked_up.name == "GET /2010-04-01/Accounts/{sid}/Messages/{sid}.json"
    assert (looked_up.failed, looked_up.attributes["error.type"]) == (True, "404")
    assert created.attributes == {
        "http.request.method": "POST",
        "url.template": template,
        "server.address": "127.0.0.1",
        "server.port": twilio_server.port,
        "http.response.status_code": 201,
    }
    for secret in (message.to[1:], NUMBER[1:], ACCOUNT_SID, sid, twilio_server.auth_token, "Grace"):
        assert secret.encode() not in traced.sent()


def test_a_request_without_an_answer_says_by_what_kind_of_error(traced: Traced) -> None:
    with traced.job(), pytest.raises(Unavailable):
        texts_at(f"http://127.0.0.1:{free_port()}", "a token", traced).look_up("SM" + "0" * 32, short_timeouts=True)

    (failed,) = traced.calls()
    assert (failed.failed, failed.attributes["error.type"]) == (True, "ConnectionError")


def test_outside_of_a_span_requests_have_none(twilio_server: TwilioStandIn, traced: Traced) -> None:
    texts_at(twilio_server.url, twilio_server.auth_token, traced).send(a_text())

    assert traced.spans() == []
