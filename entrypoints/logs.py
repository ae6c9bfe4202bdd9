"""Configure logging: one JSON object per line, or text for a terminal."""

import logging
import logging.config
import sys
from typing import Any

from pythonjsonlogger.core import LogData
from pythonjsonlogger.json import JsonFormatter

from entrypoints.settings import LogFormat, LogSettings

# The attributes of every record; all others come from `extra=`.
_STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


MAX_VALUE_LENGTH = 10_000
"""Characters of one value of a record, whose length may come from a request."""


def _shortened(value: Any) -> Any:
    """Return the value; for a very long text its beginning and its end, where a traceback has the error."""
    if not isinstance(value, str) or len(value) <= MAX_VALUE_LENGTH:
        return value
    half = MAX_VALUE_LENGTH // 2
    return f"{value[:half]} […] {value[-half:]}"


class JsonLinesFormatter(JsonFormatter):
    """One JSON object per line: `timestamp`, `level`, `logger`, `message`, and the extra attributes of the record."""

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp=True,
        )

    def process_log_record(self, log_data: LogData) -> LogData:
        processed = super().process_log_record(log_data)
        return {name: _shortened(value) for name, value in processed.items() if value is not None}


class TextFormatter(logging.Formatter):
    """A line for people: the time, the level, the message, and the extra attributes of the record."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s  %(levelname)-7s  %(message)s", datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's own name
        attributes = {
            name: value
            for name, value in vars(record).items()
            if name not in _STANDARD_ATTRIBUTES and value is not None
        }
        suffix = "  ".join(f"{name}={_shortened(value)}" for name, value in attributes.items())
        line: str = _shortened(super().formatMessage(record))
        return f"{line}  {suffix}" if suffix else line

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's own name
        traceback: str = _shortened(super().formatException(ei))
        return traceback


_OWN = ("adapters", "entrypoints", "unite", "unite_core")
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
            **{name: {"level": level} for name in _OWN},
            # The HTTP server, the migrations and the queues log only problems.
            "uvicorn": {"level": "WARNING"},
            "alembic": {"level": "WARNING"},
            "botocore": {"level": "WARNING"},
            "rq": {"level": "WARNING"},
            # RQ sets INFO when it is imported after this, unless a level is set.
            "rq.worker": {"level": "WARNING"},
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
