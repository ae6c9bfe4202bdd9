"""Configure logging: one JSON object per line, or text for a terminal."""

import logging
import logging.config
import re
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from pythonjsonlogger.core import LogData
from pythonjsonlogger.json import JsonFormatter

from entrypoints.correlation import ContextFilter
from entrypoints.redaction import redacted, redacted_value
from entrypoints.settings import LogFormat, LogSettings
from unite_core import __version__

# The attributes of every record; all others come from `extra=`.
_STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}

SERVICE = "unite"

MAX_EVENT_LENGTH = 64

_PLACEHOLDER = re.compile(r"%[a-z0-9.,]{0,8}")
_SEPARATOR = re.compile(r"[^a-z0-9]++")

MAX_VALUE_LENGTH = 10_000
"""Characters of one value of a record, whose length may come from a request."""


@lru_cache(maxsize=1_000)
def event_of(message: str) -> str:
    """Return the name of the kind of event that a message without its values tells of: `the_import_is`."""
    words = _SEPARATOR.sub("_", _PLACEHOLDER.sub(" ", message.lower())).strip("_")
    return words[:MAX_EVENT_LENGTH].strip("_")


def _shortened(value: Any) -> Any:
    """Return the value; for a very long text its beginning and its end, where a traceback has the error."""
    if not isinstance(value, str) or len(value) <= MAX_VALUE_LENGTH:
        return value
    half = MAX_VALUE_LENGTH // 2
    return f"{value[:half]} […] {value[-half:]}"


def _loggable(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that have a value, without secrets and personal data, and shortened."""
    return {name: _shortened(redacted_value(name, value)) for name, value in attributes.items() if value is not None}


class JsonLinesFormatter(JsonFormatter):
    """One JSON object per line, with the extra attributes of the record.

    Every line has `timestamp`, `level`, `event`, `message`, `logger`, `service` and `version`. `event` is the same for
    all messages of a kind.
    """

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            rename_fields={"levelname": "level", "name": "logger"},
            static_fields={"service": SERVICE, "version": __version__},
            timestamp=True,
        )

    def add_fields(self, log_data: LogData, record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        super().add_fields(log_data, record, message_dict)
        log_data.setdefault("event", event_of(str(record.msg)))

    def process_log_record(self, log_data: LogData) -> LogData:
        return _loggable(super().process_log_record(log_data))


class TextFormatter(logging.Formatter):
    """A line for people: the time, the level, the message, and the extra attributes of the record."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s  %(levelname)-7s  %(message)s", datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's own name
        attributes = {name: value for name, value in vars(record).items() if name not in _STANDARD_ATTRIBUTES}
        suffix = "  ".join(f"{name}={value}" for name, value in _loggable(attributes).items())
        line: str = _shortened(redacted(super().formatMessage(record)))
        return f"{line}  {suffix}" if suffix else line

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's own name
        traceback: str = _shortened(redacted(super().formatException(ei)))
        return traceback


OWN_LOGGERS = ("adapters", "entrypoints", "unite", "unite_core")
"""The top-level loggers of the service."""


def logging_config(settings: LogSettings, *, human: bool) -> dict[str, Any]:
    """Return the configuration for `logging.config.dictConfig`: everything goes to standard error.

    Without a format in the settings, `is_terminal` selects text.
    """
    level = settings.level.upper()
    prose = human if settings.format is None else settings.format is LogFormat.TEXT
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": TextFormatter if prose else JsonLinesFormatter}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "lines",
                "stream": "ext://sys.stderr",
                "level": level,
            }
        },
        # At `debug` libraries log the data that they send, which has people's names and numbers, so they stay at INFO.
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            **{name: {"level": level} for name in OWN_LOGGERS},
            # The HTTP server, the migrations and the queues log only problems.
            "uvicorn": {"level": "WARNING"},
            "alembic": {"level": "WARNING"},
            "botocore": {"level": "WARNING"},
            "rq": {"level": "WARNING"},
            # RQ sets INFO when it is imported after this, unless a level is set.
            "rq.worker": {"level": "WARNING"},
            "opentelemetry": {"level": "WARNING"},
            # Its warnings quote the requested URLs, and those of text messages contain phone numbers.
            "urllib3": {"level": "ERROR"},
        },
    }


def is_terminal() -> bool:
    """Return whether standard error is a terminal."""
    return sys.stderr.isatty()


def configure(settings: LogSettings) -> None:
    """Set up logging for this process."""
    logging.config.dictConfig(logging_config(settings, human=is_terminal()))


class TraceFilter(logging.Filter):
    """A logging filter that sets `trace_id` and `span_id` of the current span on every record."""

    def __init__(self, fields: Callable[[], Mapping[str, str]]) -> None:
        super().__init__()
        self._fields = fields

    def filter(self, record: logging.LogRecord) -> bool:
        vars(record).update(self._fields())
        return True


def name_spans(fields: Callable[[], Mapping[str, str]]) -> None:
    """Put the fields that name the current span on each line of this process."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(TraceFilter(fields))


def describe_records(component: str) -> None:
    """Put the component, and the current correlation id and user, on each line of this process."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(ContextFilter(component))
