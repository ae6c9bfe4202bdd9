"""Settings: every environment variable of an installation, and how it is read.

`variables` declares each variable once, as a field of marshmallow with a meaning and a default. `model` names the
values that the service uses. `reading` loads the variables, and `rules` checks those that depend on each other.
"""

from entrypoints.settings.choices import LogFormat, LogLevel
from entrypoints.settings.environment_reader import FILE, SettingsRefused
from entrypoints.settings.load import (
    SecretLocation,
    environment,
    read_log_settings,
    read_settings,
    secret_location,
)
from entrypoints.settings.model import FirstAdmin, LogSettings, Sentry, Settings, Storage, Traces, Twilio
from entrypoints.settings.parsers import parse_keys
from entrypoints.settings.rules import Scope

__all__ = [
    "FILE",
    "FirstAdmin",
    "LogFormat",
    "LogLevel",
    "LogSettings",
    "Scope",
    "SecretLocation",
    "Sentry",
    "Settings",
    "SettingsRefused",
    "Storage",
    "Traces",
    "Twilio",
    "environment",
    "parse_keys",
    "read_log_settings",
    "read_settings",
    "secret_location",
]
