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


class TraceExporter(StrEnum):
    """How traces are exported."""

    OFF = "off"
    OTLP = "otlp"


class Sampler(StrEnum):
    """Which traces are recorded: the values of OTEL_TRACES_SAMPLER that every SDK of OpenTelemetry knows."""

    ALWAYS_ON = "always_on"
    ALWAYS_OFF = "always_off"
    RATIO = "traceidratio"
    PARENT_ON = "parentbased_always_on"
    PARENT_OFF = "parentbased_always_off"
    PARENT_RATIO = "parentbased_traceidratio"


def embedded_parts(text: str) -> frozenset[Part]:
    """Parse the names of parts with commas between; raise `ValueError` with the position of a wrong one."""
    known = list(Part)
    named = [entry.strip() for entry in text.split(",")]
    for position, name in enumerate(named, start=1):
        if name not in known:
            raise ValueError(f"entry {position} is none of {', '.join(known)}")
    return frozenset(Part(name) for name in named)
