"""What can be done about users and their sessions."""

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
from unite_core.identity.use_cases.users import AddUser, ChangeUser, EnsureFirstAdmin, NewUser, UserChanges

__all__ = [
    "AddUser",
    "Authenticate",
    "AuthenticateCookie",
    "ChangePassword",
    "ChangeUser",
    "CookieSession",
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
    "UserChanges",
]
