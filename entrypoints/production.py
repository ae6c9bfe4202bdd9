"""Check that production has a server in place of each embedded part, unless a setting allows the part."""

from dataclasses import dataclass
from enum import StrEnum

from entrypoints.environment import Reader
from entrypoints.variables import (
    DATABASE_URL,
    EMBEDDED,
    ENVIRONMENT,
    JWT_KEYS,
    MONGODB_URL,
    REDIS_URL,
    S3_BUCKET_IMAGES,
    S3_BUCKET_IMPORTS,
    SNS_TOPIC_ARN,
    TWILIO_ACCOUNT_SID,
    Setting,
)


class Environment(StrEnum):
    """The purpose of an installation."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Scope(StrEnum):
    """The servers that a process needs: a service needs all, a command only those with permanent data."""

    SERVICE = "service"
    DATA = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPart:
    """A part that is embedded unless all its variables are set; `lasts` marks the parts with permanent data."""

    name: str
    variables: tuple[Setting, ...]
    lasts: bool = False


PARTS = (
    EmbeddedPart(name="database", variables=(DATABASE_URL,), lasts=True),
    EmbeddedPart(name="mongodb", variables=(MONGODB_URL,), lasts=True),
    EmbeddedPart(name="s3", variables=(S3_BUCKET_IMPORTS, S3_BUCKET_IMAGES), lasts=True),
    EmbeddedPart(name="redis", variables=(REDIS_URL,)),
    EmbeddedPart(name="keys", variables=(JWT_KEYS,)),
    EmbeddedPart(name="sns", variables=(SNS_TOPIC_ARN,)),
    EmbeddedPart(name="twilio", variables=(TWILIO_ACCOUNT_SID,)),
)


def require_servers(read: Reader, scope: Scope) -> None:
    """Refuse parts that are missing in production, and parts that are both set and declared as embedded."""
    environment = read.judged(ENVIRONMENT.name, _environment)
    embedded = read.judged(EMBEDDED.name, _parts) or frozenset()
    for part in PARTS:
        if part.name in embedded:
            _refuse_both(read, part)
        elif environment is Environment.PRODUCTION and (part.lasts or scope is Scope.SERVICE):
            _refuse_missing(read, part)


def _refuse_both(read: Reader, part: EmbeddedPart) -> None:
    for variable in part.variables:
        if read.given(variable.name):
            read.refuse(variable.name, f"is set, and {EMBEDDED.name} names {part.name}; leave one of the two out")


def _refuse_missing(read: Reader, part: EmbeddedPart) -> None:
    # If some of its variables are set, the missing ones are refused elsewhere.
    if not any(read.given(variable.name) for variable in part.variables):
        variable = part.variables[0]
        read.refuse(
            variable.name,
            f"is missing, and {ENVIRONMENT.name} is {Environment.PRODUCTION}. Set it, or name {part.name} in "
            f"{EMBEDDED.name}. Without it: {variable.default}",
        )


def _environment(text: str) -> Environment:
    try:
        return Environment(text)
    except ValueError:
        raise ValueError(f"is none of {', '.join(Environment)}") from None


def _parts(text: str) -> frozenset[str]:
    known = [part.name for part in PARTS]
    named = [entry.strip() for entry in text.split(",")]
    for position, name in enumerate(named, start=1):
        if name not in known:
            raise ValueError(f"entry {position} is none of {', '.join(known)}")
    return frozenset(named)
