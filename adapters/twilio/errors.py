"""Exceptions for failed requests to Twilio, by its error codes: try later, settings are wrong, or refused."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from twilio.base.exceptions import (  # type: ignore[import-untyped]  # the library ships no types
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)
from urllib3.exceptions import NewConnectionError

from unite_core.notifications.delivery_reports import OPTED_OUT

OPTED_OUT_CODE = 21610
NOT_A_NUMBER = "not_a_number"

_REASONS = {
    21211: NOT_A_NUMBER,
    21214: NOT_A_NUMBER,  # it cannot be reached
    21217: NOT_A_NUMBER,
    21265: NOT_A_NUMBER,  # a short code
    21268: NOT_A_NUMBER,  # a premium number
    OPTED_OUT_CODE: OPTED_OUT,
    21614: NOT_A_NUMBER,  # no mobile number
    21635: NOT_A_NUMBER,  # a landline
}

_SET_UP = frozenset(
    {
        *(20003, 20005, 20006, 20008, 20403, 20404),  # the account: SID, token, rights, or that it is closed
        *(21212, 21603, 21606, 21659, 21660, 21661),  # the number that messages come from
        *(21701, 21703, 21704, 21705),  # the messaging service that they come from
        21609,  # the address of the callbacks
    }
)
"""Codes that say nothing about the message: Twilio accepts no message until somebody corrects the settings."""

_QUEUE_IS_FULL = 21611
_TOO_MANY_REQUESTS = 429
_SET_UP_STATUSES = frozenset({401, 403, 404})
_SET_UP_CODES_END = 21000
_DIGITS = re.compile(r"\+?(?<!\w)[0-9]{7,}(?!\w)")


class TemporaryFailure(Exception):
    """Twilio gave no usable answer, but may give one a moment later.

    `perhaps_done` if Twilio may have executed the request anyway, `waited` if the request timed out.
    """

    def __init__(self, detail: str, *, perhaps_done: bool, waited: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.perhaps_done = perhaps_done
        self.waited = waited


class ConfigurationError(Exception):
    """Twilio refuses every request because of the settings or the account."""

    def __init__(self, status: int, code: int) -> None:
        super().__init__(f"{status}, code {code}")
        self.status = status
        self.code = code


class RequestRefused(Exception):
    """Twilio will never execute the request; `error` says why, without full numbers."""

    def __init__(self, code: int, error: str) -> None:
        super().__init__(f"code {code}")
        self.code = code
        self.error = error
        self.reason = _REASONS.get(code)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Convert any error of the library in the block to `TemporaryFailure`, `ConfigurationError` or `RequestRefused`.

    The library's own error is dropped: it contains the URL of the request, and that contains numbers.
    """
    try:
        yield
    except requests.RequestException as error:
        waited = isinstance(error, requests.Timeout)
        raise TemporaryFailure(
            "Twilio does not answer.", perhaps_done=not _never_reached(error), waited=waited
        ) from None
    except TwilioServiceException as error:
        raise _meaning(error.status, error.code, error.title) from None
    except TwilioRestException as error:
        raise _meaning(error.status, error.code, error.msg) from None
    except TwilioException as error:
        raise _meaning_of_page(error) from None
    except (ValueError, TypeError, AttributeError) as error:
        raise TemporaryFailure(
            f"Twilio's answer cannot be understood ({type(error).__name__}).", perhaps_done=True
        ) from None


def _meaning(status: int, code: int | None, said: str) -> Exception:
    code = code or status
    if status == _TOO_MANY_REQUESTS or code == _QUEUE_IS_FULL:
        return TemporaryFailure("Twilio takes no more for a moment.", perhaps_done=False)
    if status >= 500:
        return TemporaryFailure(f"Twilio failed with {status}.", perhaps_done=True)
    # A redirect leads away from Twilio: the configured address is wrong.
    if status < 400 or code in _SET_UP or (status in _SET_UP_STATUSES and code < _SET_UP_CODES_END):
        return ConfigurationError(status, code)
    return RequestRefused(code, masked_digits(said.removeprefix("Unable to create record: ")))


def _meaning_of_page(error: Exception) -> Exception:
    """Return the exception for a failed list, for which the library passes on the raw response."""
    answer = error.args[1] if len(error.args) > 1 else None
    if answer is None:
        return TemporaryFailure("Twilio's answer cannot be understood.", perhaps_done=True)
    try:
        content: Any = json.loads(answer.text)
        code, said = int(content["code"]), str(content["message"])
    except (ValueError, TypeError, KeyError):
        code, said = answer.status_code, ""
    return _meaning(answer.status_code, code, said)


def masked_digits(text: str) -> str:
    """Return the text with only the last four digits of everything that may be a number."""
    return _DIGITS.sub(lambda found: f"…{found[0][-4:]}", text)


def _never_reached(error: requests.RequestException) -> bool:
    """Return whether there was no connection over which anything could have been sent."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)
