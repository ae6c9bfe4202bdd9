"""Read the settings of a process from environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from entrypoints.settings import variables as env
from entrypoints.settings.environment_reader import SettingsRefused, Values, unknown_variable_warnings
from entrypoints.settings.model import FirstAdmin, LogSettings, Sentry, Settings, Storage, Twilio
from entrypoints.settings.plain_http import WILDCARD_HOSTS
from entrypoints.settings.rules import Scope, problems_of, warnings_of
from entrypoints.settings.traces import read_traces
from unite_core.quotas import Quotas

T = TypeVar("T", Settings, Storage, Twilio, Sentry, LogSettings)


def environment() -> Mapping[str, str]:
    """Return the environment of this process; only the two places where a process starts call this."""
    return os.environ


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretLocation:
    """The secret in AWS Secrets Manager that contains further variables."""

    arn: str
    aws_endpoint_url: str | None


def secret_location(environ: Mapping[str, str]) -> SecretLocation | None:
    """Return the secret with further variables that the environment names, or None; raise `SettingsRefused`."""
    values = Values(environ, (env.SECRETS_ARN, env.AWS_ENDPOINT_URL))
    if values.problems:
        raise SettingsRefused(values.problems)
    arn = values[env.SECRETS_ARN]
    return SecretLocation(arn=arn, aws_endpoint_url=values[env.AWS_ENDPOINT_URL]) if arn else None


def read_log_settings(environ: Mapping[str, str]) -> LogSettings:
    """Return the settings of logging before all other settings are read; a wrong value is replaced by the default."""
    return _read(LogSettings, Values(environ, (env.LOG_LEVEL, env.LOG_FORMAT)))


def read_settings(environ: Mapping[str, str], scope: Scope = Scope.SERVICE) -> Settings:
    """Read and check the settings for a process of this scope.

    Each value can be in a file instead, named by the same variable with the suffix `_FILE`. An empty variable counts as
    not set; an empty `…_FILE` and an empty file are refused. Raises `SettingsRefused` with all errors.
    """
    values = Values(environ, env.ALL)
    public_url = values[env.PUBLIC_URL] or _own_address(values[env.HOST], values[env.PORT])
    warnings = (*unknown_variable_warnings(environ, env.PREFIX, env.ALL), *warnings_of(values, public_url))
    problems = [*values.problems, *problems_of(values, scope)]
    if problems:
        raise SettingsRefused(problems, warnings)
    return _read(
        Settings,
        values,
        storage=_storage(values),
        twilio=_twilio(values),
        destinations={it.name: value for it in env.DESTINATIONS if (value := values[it]) is not None},
        first_admin=_first_admin(values),
        public_url=public_url,
        quotas=_quotas(values),
        log=_read(LogSettings, values),
        sentry=_sentry(values),
        traces=read_traces(values),
        warnings=warnings,
    )


def _read(cls: type[T], values: Values, **others: Any) -> T:
    """Create a dataclass whose fields are declared with `read_from`; `others` are the values of its other fields."""
    read = {it.name: values[it.metadata["setting"]] for it in fields(cls) if "setting" in it.metadata}
    return cls(**read, **others)


def _storage(values: Values) -> Storage | None:
    imports, images = values[env.S3_BUCKET_IMPORTS], values[env.S3_BUCKET_IMAGES]
    return _read(Storage, values, imports=imports, images=images) if imports and images else None


def _twilio(values: Values) -> Twilio | None:
    sid, token = values[env.TWILIO_ACCOUNT_SID], values[env.TWILIO_AUTH_TOKEN]
    return _read(Twilio, values, account_sid=sid, auth_token=token) if sid and token else None


def _sentry(values: Values) -> Sentry | None:
    dsn = values[env.SENTRY_DSN]
    environment = values[env.SENTRY_ENVIRONMENT] or values[env.ENVIRONMENT].value
    return _read(Sentry, values, dsn=dsn, environment=environment) if dsn else None


def _first_admin(values: Values) -> FirstAdmin | None:
    email, password = values[env.ADMIN_EMAIL], values[env.ADMIN_PASSWORD]
    return FirstAdmin(email=email, password=password) if email and password else None


def _quotas(values: Values) -> Quotas:
    return Quotas(
        open_imports=values[env.QUOTA_IMPORTS],
        open_bytes=env.MIB * values[env.QUOTA_UPLOAD_MIB],
        texts_per_number=values[env.QUOTA_TEXTS_PER_NUMBER],
        texts=values[env.QUOTA_TEXTS],
    )


def _own_address(host: str, port: int) -> str:
    reachable = WILDCARD_HOSTS.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
