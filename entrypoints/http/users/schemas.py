"""Schemas and JSON of users, logins and passwords."""

from typing import Any

from entrypoints.http.framework.fields import Body, Choice, Flag, Id, ListOf, ObjectOf, Text, Timestamp, WholeNumber
from entrypoints.http.framework.paging import PageQuery
from unite_core.email import MAX_EMAIL_LENGTH
from unite_core.identity.model import (
    MAX_NAME_LENGTH,
    MAX_PASSWORD_LENGTH,
    MIN_PASSWORD_LENGTH,
    Role,
    TokenPair,
    User,
)
from unite_core.identity.summary_settings import TIME_PATTERN
from unite_core.identity.use_cases import OneTimePassword
from unite_core.phone import MAX_PHONE_INPUT_LENGTH
from unite_core.summaries.use_cases import SummaryChange, SummarySettings
from unite_core.unset import UNSET
from unite_core.zones import DEFAULT_ZONE, MAX_ZONE_LENGTH

_PASSWORD = {"format": "password"}
_NEW_PASSWORD = {**_PASSWORD, "minLength": MIN_PASSWORD_LENGTH, "maxLength": MAX_PASSWORD_LENGTH}
_NAME = {"minLength": 1, "maxLength": MAX_NAME_LENGTH}
_EMAIL = {"format": "email", "maxLength": MAX_EMAIL_LENGTH}
_TIME = {"pattern": TIME_PATTERN, "description": "A local time of day, from 00:00 to 23:59."}
_ZONE = {"minLength": 1, "maxLength": MAX_ZONE_LENGTH, "description": "The name of an IANA time zone."}
_PHONE_IN = {"maxLength": MAX_PHONE_INPUT_LENGTH, "description": "In any common format; text messages are sent to it."}

USER_EXAMPLE = {
    "id": "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f",
    "email": "ada@unite.example",
    "name": "Ada Lovelace",
    "role": "manager",
    "phone": "+442079460018",
    "active": True,
    "created_at": "2026-01-31T09:30:00.123456Z",
    "updated_at": "2026-01-31T09:30:00.123456Z",
    "version": 1,
    "daily_summary": {"at": "18:00", "tz": "Europe/London"},
    "password_change_required": False,
}
NEW_USER_EXAMPLE = {
    "email": "ada@unite.example",
    "name": "Ada Lovelace",
    "role": "manager",
    "password": "correct horse battery",
    "phone": "+44 20 7946 0018",
}
ONE_TIME_PASSWORD_EXAMPLE = {"password": "k7mq-x2pd-9rtw-hv4c-e3nb", "expires_at": "2026-02-01T09:30:00.123456Z"}
TOKENS_EXAMPLE = {
    "access_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl",
    "refresh_token": "aVZ0c3hGZ2h3cWxrU2R0b2tlbi1leGFtcGxlLW9ubHk",
    "token_type": "Bearer",
    "expires_in": 900,
}


class DailySummarySchema(Body):
    """The time at which a user gets the daily summary."""

    at = Text(required=True, metadata=_TIME)
    tz = Text(required=True, metadata=_ZONE)


class UserSchema(Body):
    """A user."""

    id = Id(required=True)
    email = Text(required=True, metadata=_EMAIL)
    name = Text(required=True, metadata=_NAME)
    role = Choice(Role, required=True)
    phone = Text(required=True, allow_none=True, metadata={"description": "E.164"})
    active = Flag(required=True, metadata={"description": "Whether the user can log in."})
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)
    version = WholeNumber(required=True, minimum=1)
    daily_summary = ObjectOf(
        DailySummarySchema,
        required=True,
        allow_none=True,
        metadata={"description": "When the user gets the daily summary; null if they get none."},
    )
    password_change_required = Flag(
        required=True,
        metadata={"description": "Whether the user has a one-time password, which must be changed first."},
    )


def user_json(user: User) -> dict[str, Any]:
    """Return a user as `UserSchema` shows it."""
    summary = user.daily_summary
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "phone": user.phone,
        "active": user.active,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "version": user.version,
        "daily_summary": {"at": f"{summary.at:%H:%M}", "tz": summary.tz} if summary else None,
        "password_change_required": user.password_change_required,
    }


class UserPageSchema(Body):
    """A page of users."""

    items = ListOf(UserSchema, required=True)
    next_cursor = Text(required=True, allow_none=True)


class UserQuery(PageQuery):
    """The filters of the list of users."""

    role = Choice(Role)
    active = Flag()


class NewUserSchema(Body):
    """The data of a new user."""

    email = Text(required=True, metadata=_EMAIL)
    name = Text(required=True, metadata=_NAME)
    role = Choice(Role, required=True)
    password = Text(required=True, metadata=_NEW_PASSWORD)
    phone = Text(allow_none=True, metadata=_PHONE_IN)


class UserPatchSchema(Body):
    """The changes to a user (JSON merge patch, RFC 7396)."""

    name = Text(metadata=_NAME)
    phone = Text(allow_none=True, metadata=_PHONE_IN)
    role = Choice(Role)
    active = Flag()


class DailySummaryPatchSchema(Body):
    """The time at which the caller wants the daily summary."""

    at = Text(metadata={**_TIME, "description": f"{_TIME['description']} Required if there is no summary yet."})
    tz = Text(metadata={**_ZONE, "description": f"{_ZONE['description']} {DEFAULT_ZONE} if none was ever set."})


class MePatchSchema(Body):
    """The changes to the current user (JSON merge patch, RFC 7396)."""

    daily_summary = ObjectOf(DailySummaryPatchSchema, allow_none=True)


def summary_change(body: dict[str, Any], expected_version: int | None) -> SummaryChange:
    """Return the change for a body of `MePatchSchema`."""
    summary = body.get("daily_summary", UNSET)
    return SummaryChange(
        daily_summary=SummarySettings(**summary) if isinstance(summary, dict) else summary,
        expected_version=expected_version,
    )


class PasswordChangeSchema(Body):
    """The current and the new password."""

    current_password = Text(required=True, metadata=_PASSWORD)
    new_password = Text(required=True, metadata=_NEW_PASSWORD)


class OneTimePasswordSchema(Body):
    """A one-time password, which is shown once, and the time until which it works."""

    password = Text(required=True, metadata=_PASSWORD)
    expires_at = Timestamp(required=True)


def one_time_password_json(one_time: OneTimePassword) -> dict[str, Any]:
    """Return a one-time password as `OneTimePasswordSchema` shows it."""
    return {"password": one_time.password, "expires_at": one_time.expires_at}


class CredentialsSchema(Body):
    """The credentials for a login."""

    email = Text(required=True, metadata={"format": "email"})
    password = Text(required=True, metadata=_PASSWORD)


class RefreshSchema(Body):
    """The refresh token of the last pair."""

    refresh_token = Text(required=True)


class TokensSchema(Body):
    """A pair of tokens; `expires_in` is the access token's lifetime in seconds."""

    access_token = Text(required=True)
    refresh_token = Text(required=True)
    token_type = Text(required=True, metadata={"enum": ["Bearer"]})
    expires_in = WholeNumber(required=True, minimum=1)


def tokens_json(pair: TokenPair) -> dict[str, Any]:
    """Return a pair of tokens as `TokensSchema` shows it (RFC 6749, 5.1)."""
    return {
        "access_token": pair.access_token,
        "refresh_token": pair.refresh_token,
        "token_type": "Bearer",
        "expires_in": pair.expires_in,
    }
