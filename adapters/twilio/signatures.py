"""Verify that requests come from Twilio."""

from collections.abc import Mapping

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # the library ships no types


class TwilioSignatures:
    """A verifier of signatures that Twilio makes with the account's token (X-Twilio-Signature: HMAC-SHA1, base64)."""

    def __init__(self, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)

    def valid(self, url: str, parameters: Mapping[str, str], signature: str) -> bool:
        """Return whether Twilio signed a request to this URL, as Twilio wrote it, with these form parameters."""
        return bool(self._validator.validate(url, parameters, signature))
