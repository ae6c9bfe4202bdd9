"""Whether a request comes from Twilio."""

from collections.abc import Mapping

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # the library tells no types


class TwilioSignatures:
    """Knows the requests that Twilio signs with the account's token (X-Twilio-Signature: HMAC-SHA1, base64)."""

    def __init__(self, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)

    def valid(self, url: str, parameters: Mapping[str, str], signature: str) -> bool:
        """Whether Twilio has signed a request to this URL, as Twilio wrote it, with these parameters of its form."""
        return bool(self._validator.validate(url, parameters, signature))
