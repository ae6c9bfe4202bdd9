"""Use cases of users, passwords and sessions."""

from unite_core.identity.use_cases.cookies import AuthenticateCookie, CookieSession, LogInWithCookie, SessionCookie
from unite_core.identity.use_cases.passwords import (
    ChangePassword,
    OneTimePassword,
    PasswordChange,
    PasswordReset,
    ResetPassword,
)
from unite_core.identity.use_cases.sessions import (
    Authenticate,
    Credentials,
    LogIn,
    LogOut,
    LogOutEverywhere,
    PurgeSessions,
    RefreshTokens,
)
from unite_core.identity.use_cases.users import CreateUser, EnsureFirstAdmin, NewUser, UpdateUser, UserChanges

__all__ = [
    "Authenticate",
    "AuthenticateCookie",
    "ChangePassword",
    "CookieSession",
    "CreateUser",
    "Credentials",
    "EnsureFirstAdmin",
    "LogIn",
    "LogInWithCookie",
    "LogOut",
    "LogOutEverywhere",
    "NewUser",
    "OneTimePassword",
    "PasswordChange",
    "PasswordReset",
    "PurgeSessions",
    "RefreshTokens",
    "ResetPassword",
    "SessionCookie",
    "UpdateUser",
    "UserChanges",
]
