"""Enumerations of the values of some settings: environment, embedded parts, log level and log format."""

from enum import StrEnum


class Environment(StrEnum):
    """The purpose of an installation."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Part(StrEnum):
    """A part that is embedded unless its variables name a server."""

    DATABASE = "database"
    MONGODB = "mongodb"
    S3 = "s3"
    REDIS = "redis"
    KEYS = "keys"
    SNS = "sns"
    TWILIO = "twilio"


class LogLevel(StrEnum):
    """The lowest severity that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """The format of a log line: a JSON object, or text."""

    JSON = "json"
    TEXT = "text"


def embedded_parts(text: str) -> frozenset[Part]:
    """Parse the names of parts with commas between; raise `ValueError` with the position of a wrong one."""
    known = list(Part)
    named = [entry.strip() for entry in text.split(",")]
    for position, name in enumerate(named, start=1):
        if name not in known:
            raise ValueError(f"entry {position} is none of {', '.join(known)}")
    return frozenset(Part(name) for name in named)
