"""The logging handler that sends each log line of level `error` to the error tracker."""

import logging
from typing import Any

from entrypoints.error_tracking.tracker import ErrorTracker, Occurrence, harmlessly
from entrypoints.logs import OWN_LOGGERS
from entrypoints.redaction import redacted

FIELDS = (
    "code",
    "correlation_id",
    "delivery_id",
    "destination",
    "event_id",
    "import_id",
    "job_id",
    "method",
    "route",
    "status",
)
"""The attributes of a line that an event has: ids and codes. Others may be about people."""

IGNORED_LOGGERS = ("sentry_sdk", "urllib3")
"""What sends events must not cause further ones."""


class ErrorHandler(logging.Handler):
    """Sends each line of level `error` and above to the tracker, except those with the attribute `retried`.

    Messages of libraries may quote data: of their lines the message without its values is sent.
    """

    def __init__(self, tracker: ErrorTracker) -> None:
        super().__init__(logging.ERROR)
        self.tracker = tracker

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] in IGNORED_LOGGERS or getattr(record, "retried", False):
            return
        with harmlessly():
            self.tracker.capture(record.exc_info[1] if record.exc_info else None, _occurrence(record))


def _occurrence(record: logging.LogRecord) -> Occurrence:
    own = record.name.partition(".")[0] in OWN_LOGGERS
    template = str(record.msg) if own or record.args else record.name
    return Occurrence(
        message=record.getMessage() if own else template,
        template=template,
        level="fatal" if record.levelno >= logging.CRITICAL else "error",
        logger=record.name,
        fields=_fields_of(record),
    )


def _fields_of(record: logging.LogRecord) -> dict[str, Any]:
    fields = {name: getattr(record, name, None) for name in FIELDS}
    return {name: _plain(value) for name, value in fields.items() if value is not None}


def _plain(value: Any) -> Any:
    return value if isinstance(value, int) else redacted(str(value))
