"""How the processes of the service write down what happens: one JSON object a line, or prose for a terminal."""

import logging
import logging.config
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from pythonjsonlogger.core import LogData
from pythonjsonlogger.json import JsonFormatter

from entrypoints.environment import Reader
from entrypoints.variables import LOG_FORMAT, LOG_LEVEL

T = TypeVar("T", bound=StrEnum)

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


class JsonLinesFormatter(JsonFormatter):
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


class TextFormatter(logging.Formatter):
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


class LogLevel(StrEnum):
    """From which severity on a record is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a record is written: one JSON object a line, or prose."""

    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is logged, and how; `format` is None where it depends on whether standard error is a terminal."""

    level: LogLevel = LogLevel.INFO
    format: LogFormat | None = None


def read_log_settings(read: Reader) -> LogSettings:
    """The settings of logging; what is wrong is refused, and the default stands in for it."""
    level = read.judged(LOG_LEVEL.name, lambda text: _one_of(LogLevel, text))
    return LogSettings(
        level=level or LogLevel.INFO, format=read.judged(LOG_FORMAT.name, lambda text: _one_of(LogFormat, text))
    )


def log_settings_of(environ: Mapping[str, str]) -> LogSettings:
    """The settings of logging alone, for what is logged before all settings are read, which refuses what is wrong."""
    return read_log_settings(Reader(environ))


def _one_of(choices: type[T], text: str) -> T:
    try:
        return choices(text)
    except ValueError:
        raise ValueError(f"is none of {', '.join(choices)}") from None


_OWN = ("adapters", "entrypoints", "unite", "unite_core")
"""The loggers of the service."""


def logging_config(settings: LogSettings, *, human: bool) -> dict[str, Any]:
    """How Python's logging is to be set up (`logging.config.dictConfig`): everything goes to standard error.

    Without a format in the settings a `is_terminal` reads prose.
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
        # At `debug` libraries log what they send, and that holds people's names and numbers: they stay at INFO.
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            **{name: {"level": level} for name in _OWN},
            # Of what the HTTP server, the migrations and the queues tell about themselves, only trouble is of interest.
            "uvicorn": {"level": "WARNING"},
            "alembic": {"level": "WARNING"},
            "botocore": {"level": "WARNING"},
            "rq": {"level": "WARNING"},
            # Its warnings quote the addresses that were asked, and those of text messages hold numbers.
            "urllib3": {"level": "ERROR"},
        },
    }


def is_terminal() -> bool:
    """Whether somebody watches."""
    return sys.stderr.isatty()


def configure(settings: LogSettings) -> None:
    """Set up logging for this process."""
    logging.config.dictConfig(logging_config(settings, human=is_terminal()))
