"""Check settings that depend on each other, and find those that are probably mistakes."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from entrypoints.settings import variables as env
from entrypoints.settings.choices import Environment, Part
from entrypoints.settings.environment_reader import Values
from entrypoints.settings.plain_http import WILDCARD_HOSTS, plain_http_warning
from entrypoints.settings.setting import Setting
from entrypoints.settings.traces import trace_problems

_EVERYWHERE = (
    f"{env.HOST} lets other machines in by plain HTTP, and links to uploads and downloads lead to this one alone: put "
    f"a proxy with TLS in front, and set {env.PUBLIC_URL} to the https:// address that they reach it by."
)
_NO_CALLBACKS = (
    f"{env.TWILIO_ACCOUNT_SID} is set, and {env.PUBLIC_URL} is not: Twilio reports deliveries and opt-outs to an "
    f"address that it can reach, and may refuse to send without one."
)
_OWN_KEYS = (
    f"{env.REDIS_URL} is for several machines, and each creates its own keys: the others refuse what one has signed. "
    f"Set {env.JWT_KEYS} to the same value on all."
)


class Scope(StrEnum):
    """The servers that a process needs: a service needs all, a command only those with permanent data."""

    SERVICE = "service"
    DATA = "data"


PARTS: Mapping[Part, tuple[Setting[Any], ...]] = {
    Part.DATABASE: (env.DATABASE_URL,),
    Part.MONGODB: (env.MONGODB_URL,),
    Part.S3: (env.S3_BUCKET_IMPORTS, env.S3_BUCKET_IMAGES),
    Part.REDIS: (env.REDIS_URL,),
    Part.KEYS: (env.JWT_KEYS,),
    Part.SNS: (env.SNS_TOPIC_ARN,),
    Part.TWILIO: (env.TWILIO_ACCOUNT_SID,),
}
"""The variables of each part: the part is embedded unless all of them are set."""

PARTS_WITH_PERMANENT_DATA = frozenset({Part.DATABASE, Part.MONGODB, Part.S3})


def problems_of(values: Values, scope: Scope) -> Iterator[str]:
    """Find the settings that are missing or of no use beside the others."""
    yield from _missing_servers(values, scope)
    yield from _accounts(values)
    yield from _storage(values)
    yield from _twilio(values)
    yield from _both_or_none(values, env.ADMIN_EMAIL, env.ADMIN_PASSWORD)
    yield from trace_problems(values)


def warnings_of(values: Values, public_url: str) -> Iterator[str]:
    """Find the settings that are probably mistakes; `public_url` is the setting or its default."""
    if values[env.HOST] in WILDCARD_HOSTS and not values.given(env.PUBLIC_URL):
        yield _EVERYWHERE
    if values.given(env.TWILIO_ACCOUNT_SID) and not values.given(env.PUBLIC_URL):
        yield _NO_CALLBACKS
    if values.given(env.REDIS_URL) and not values.given(env.JWT_KEYS):
        yield _OWN_KEYS
    plain = plain_http_warning(values[env.HOST], public_url, behind_proxy=bool(values[env.TRUSTED_PROXIES]))
    if plain is not None:
        yield plain


def _missing_servers(values: Values, scope: Scope) -> Iterator[str]:
    """Refuse parts that are missing in production, and parts that are both set and declared as embedded."""
    for part, variables in PARTS.items():
        given = [variable for variable in variables if values.given(variable)]
        needed = scope is Scope.SERVICE or part in PARTS_WITH_PERMANENT_DATA
        if part in values[env.EMBEDDED]:
            for variable in given:
                yield f"{variable}: is set, and {env.EMBEDDED} names {part}; leave one of the two out"
        # If some of its variables are set, the missing ones are refused elsewhere.
        elif not given and needed and values[env.ENVIRONMENT] is Environment.PRODUCTION:
            yield (
                f"{variables[0]}: is missing, and {env.ENVIRONMENT} is {Environment.PRODUCTION}. Set it, or name "
                f"{part} in {env.EMBEDDED}. Without it: {variables[0].default}"
            )


def _accounts(values: Values) -> Iterator[str]:
    # The text decides, so that a malformed URL of SQLite counts as one.
    is_file = (values.text(env.DATABASE_URL) or "sqlite").startswith("sqlite")
    if values[env.DATABASE_SERVICE_ACCOUNT] and is_file:
        yield f"{env.DATABASE_SERVICE_ACCOUNT}: is of no use without MySQL or MariaDB in {env.DATABASE_URL}"
    if values[env.MONGODB_SERVICE_URL] and not values.given(env.MONGODB_URL):
        yield f"{env.MONGODB_SERVICE_URL}: is of no use without {env.MONGODB_URL}"


def _storage(values: Values) -> Iterator[str]:
    yield from _both_or_none(values, env.S3_BUCKET_IMPORTS, env.S3_BUCKET_IMAGES)
    if not values.given(env.S3_BUCKET_IMPORTS) and not values.given(env.S3_BUCKET_IMAGES):
        for setting in (env.S3_PUBLIC_URL, env.SQS_IMPORTS_QUEUE_URL):
            if values.given(setting):
                yield f"{setting}: is of no use without {env.S3_BUCKET_IMPORTS} and {env.S3_BUCKET_IMAGES}"


def _twilio(values: Values) -> Iterator[str]:
    account = (env.TWILIO_ACCOUNT_SID, env.TWILIO_AUTH_TOKEN)
    number, service = env.TWILIO_FROM, env.TWILIO_MESSAGING_SERVICE_SID
    given = [setting for setting in (*account, number, service) if values.given(setting)]
    if not given:
        if values.given(env.TWILIO_BASE_URL):
            yield f"{env.TWILIO_BASE_URL}: is of no use without {account[0]} and {account[1]}"
        return
    for setting in account:
        if setting not in given:
            yield f"{setting}: is missing; {given[0]} needs it"
    if number in given and service in given:
        yield f"{service}: is set as well as {number}; leave one of the two out"
    elif number not in given and service not in given:
        yield f"{number}: is missing, and so is {service}; {given[0]} needs one of the two"


def _both_or_none(values: Values, one: Setting[Any], other: Setting[Any]) -> Iterator[str]:
    if values.given(one) != values.given(other):
        given, missing = (one, other) if values.given(one) else (other, one)
        yield f"{missing}: is missing; {given} needs it"
