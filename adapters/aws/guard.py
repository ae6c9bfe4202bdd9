"""Create the outbound guard of an AWS service: its error translation and its policy."""

import logging
from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError

from adapters.outbound import CallPolicy, CallTimeouts, OutboundGuard
from unite_core.errors import NotFound, Unavailable, UniteError

log = logging.getLogger(__name__)

POLICY = CallPolicy(
    timeouts=CallTimeouts(connect=timedelta(seconds=3), read=timedelta(seconds=20)),
    short_timeouts=CallTimeouts(connect=timedelta(seconds=1), read=timedelta(seconds=1.5)),
    attempts=3,
    failure_threshold=5,
    recovery_timeout=timedelta(seconds=30),
)

_ABSENT = frozenset({"404", "NoSuchKey", "NotFound", "ResourceNotFoundException"})


def aws_guard(name: str, policy: CallPolicy, *, absent: str = "There is no such file.") -> OutboundGuard:
    """Create the guard of one service: it raises `NotFound`, and `Unavailable` for every other error of botocore.

    `NotFound` has the detail `absent`, and does not count as a failure. The guard retries nothing: the clients do
    (`AwsClients`).
    """

    def translate(error: BotoCoreError | ClientError) -> UniteError:
        if isinstance(error, BotoCoreError):
            return Unavailable(f"{name} does not answer.")
        if _is_absent(error):
            return NotFound(absent)
        # The client can do nothing about a missing permission or bucket, so that the code is only in the log.
        log.warning("%s answered %s to %s.", name, error_code(error), error.operation_name)
        return Unavailable(f"{name} cannot do this at the moment.")

    return OutboundGuard(
        name,
        policy,
        errors=(BotoCoreError, ClientError),
        translate=translate,
        is_failure=lambda error: not _is_absent(error),
    )


def error_code(error: ClientError) -> str:
    """Return the service's error code, such as `NoSuchKey`, or the HTTP status where there is no body, as for HEAD."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _is_absent(error: Exception) -> bool:
    return isinstance(error, ClientError) and error_code(error) in _ABSENT
