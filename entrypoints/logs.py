"""How the processes of the service write down what happens: one JSON object a line, or prose for a terminal."""

import logging
import logging.config
import sys
from typing import Any

from pythonjsonlogger.core import LogData
from pythonjsonlogger.json import JsonFormatter

# What every record has anyway; whatever else is on one was put there with `extra=`.
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


MAX_VALUE_LENGTH = 10_000
"""Characters of one value of a record: somebody else may have decided how long it is."""


def _shortened(value: Any) -> Any:
    """The value; of a very long text its beginning and its end, where a traceback says what was raised."""
    if not isinstance(value, str) or len(value) <= MAX_VALUE_LENGTH:
        return value
    half = MAX_VALUE_LENGTH // 2
    return f"{value[:half]} […] {value[-half:]}"


class JsonLines(JsonFormatter):
    """One JSON object per line: `timestamp`, `level`, `logger`, `message`, and what else the record carries."""

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp=True,
        )

    def process_log_record(self, log_data: LogData) -> LogData:
        read = super().process_log_record(log_data)
        return {name: _shortened(value) for name, value in read.items() if value is not None}


class Prose(logging.Formatter):
    """A line for somebody who watches: the time, what happened, and what else the record carries."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s  %(levelname)-7s  %(message)s", datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's own name
        carried = {name: value for name, value in vars(record).items() if name not in _USUAL and value is not None}
        told = "  ".join(f"{name}={_shortened(value)}" for name, value in carried.items())
        line: str = _shortened(super().formatMessage(record))
        return f"{line}  {told}" if told else line

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's own name
        traceback: str = _shortened(super().formatException(ei))
        return traceback


def plan(*, human: bool) -> dict[str, Any]:
    """How Python's logging is to be set up (`logging.config.dictConfig`): everything goes to standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": Prose if human else JsonLines}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            # Of what the HTTP server, the migrations and the queues tell about themselves, only trouble is of interest.
            "uvicorn": {"level": "WARNING"},
            "alembic": {"level": "WARNING"},
            "botocore": {"level": "WARNING"},
            "rq": {"level": "WARNING"},
            # Its warnings quote the addresses that were asked, and those of text messages hold numbers.
            "urllib3": {"level": "ERROR"},
        },
    }


def human() -> bool:
    """Whether somebody watches."""
    return sys.stderr.isatty()


def configure() -> None:
    """Set up logging for this process."""
    logging.config.dictConfig(plan(human=human()))
