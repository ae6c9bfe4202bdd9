"""Tests of the verification of Twilio's signatures, with examples of Twilio's documentation or made with openssl."""

import pytest

from adapters.twilio.signatures import TwilioSignatures
from tests.servers.twilio import ACCOUNT_SID, TwilioStandIn
from tests.service_process import eventually

DOCUMENTED = "https://mycompany.com/myapp.php?foo=1&bar=2"
CALL = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+12349013030",
    "Digits": "1234",
    "From": "+12349013030",
    "To": "+18005551212",
}
STATUS = "https://unite.example.com/webhooks/twilio/status?delivery=019a-1"


@pytest.mark.parametrize(
    ("token", "url", "parameters", "signature"),
    [
        ("12345", DOCUMENTED, CALL, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        (
            "12345",
            DOCUMENTED,
            {**CALL, "Caller": "+14158675309", "From": "+14158675309"},
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        # printf '%s' "${URL}ErrorCode30003FromZoë" | openssl dgst -sha1 -hmac s3cret -binary | base64
        ("s3cret", STATUS, {"From": "Zoë", "ErrorCode": "30003"}, "MBDZSGZduWjGfFTI56KFzSJYOQI="),
    ],
)
def test_a_valid_signature_is_accepted(token: str, url: str, parameters: dict[str, str], signature: str) -> None:
    assert TwilioSignatures(token).valid(url, parameters, signature)


@pytest.mark.parametrize(
    ("token", "url", "parameters", "signature"),
    [
        ("12346", DOCUMENTED, CALL, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        ("12345", f"{DOCUMENTED}&baz=3", CALL, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        ("12345", DOCUMENTED, {**CALL, "Digits": "1235"}, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        ("12345", DOCUMENTED, {**CALL, "More": ""}, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        ("12345", DOCUMENTED, {}, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        ("12345", DOCUMENTED, CALL, ""),
        ("12345", DOCUMENTED, CALL, "☎" * 28),
    ],
)
def test_a_wrong_or_missing_signature_is_refused(
    token: str, url: str, parameters: dict[str, str], signature: str
) -> None:
    assert not TwilioSignatures(token).valid(url, parameters, signature)


def test_a_default_port_in_the_url_is_accepted() -> None:
    signatures = TwilioSignatures("12345")

    assert signatures.valid(DOCUMENTED.replace(".com/", ".com:443/"), CALL, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")


def test_the_fake_server_sends_a_signed_callback_for_a_received_message(twilio_server: TwilioStandIn) -> None:
    written = twilio_server.write_to_us("+12025550123", "STOP", sid="SM1")

    (callback,) = eventually(twilio_server.callbacks, "the service is told")
    assert written == {"sid": "SM1", "status": None}  # there is no service
    assert callback["url"] == f"{twilio_server.public_url}/webhooks/twilio/inbound"
    assert callback["parameters"]["AccountSid"] == ACCOUNT_SID
    assert (callback["parameters"]["From"], callback["parameters"]["Body"]) == ("+12025550123", "STOP")
