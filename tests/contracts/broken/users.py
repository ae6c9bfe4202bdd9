"""Broken stores of users."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from re import fullmatch
from typing import Any

import pytest

from tests.contracts.broken.making import (
    Port,
    cut,
    doing_nothing,
    keeping,
    pages_of,
    raising,
    returning,
    storing,
    uncopied,
    with_methods,
    with_value,
    without_accents,
    without_microseconds,
)
from tests.contracts.broken.small_units import SmallUnit
from unite_core.errors import Conflict, NotFound
from unite_core.identity.model import Role
from unite_core.testing.contracts import UsersContract
from unite_core.testing.in_memory.identity import InMemoryUsers
from unite_core.testing.in_memory.tables import Store


def suite(make: Callable[..., Any]) -> type:
    class Suite(UsersContract):
        @pytest.fixture
        def work(self) -> Any:
            store = Store()
            return lambda: SmallUnit(store, users=lambda tables: make(tables, set()))

    return Suite


def _saving(decide: Callable[[Any, Any], Any]) -> Any:
    """Return a store that decides itself what it saves."""
    return with_methods(InMemoryUsers, save=decide)


def _put(self: Any, user: Any) -> None:
    self._users[user.id] = deepcopy(user)


def _filtered(change: Callable[[Any], Any]) -> Any:
    return with_methods(
        InMemoryUsers, page=lambda self, filters, request: InMemoryUsers.page(self, change(filters), request)
    )


def _counting(counts: Callable[[Any], bool]) -> Any:
    return with_methods(InMemoryUsers, count_active_admins=lambda self: sum(map(counts, self._users.values())))


def _save_all(self: Any, user: Any) -> None:
    InMemoryUsers.save(self, user)
    self._users.update({it: replace(deepcopy(user), id=it) for it in self._users})


def _add_replacing(self: Any, user: Any) -> None:
    for known in [it.id for it in self._users.values() if it.email == user.email]:
        del self._users[known]
    _put(self, user)


PORT = Port(
    name="Users",
    suite=suite,
    right=InMemoryUsers,
    broken={
        "add does nothing": doing_nothing(InMemoryUsers, "add"),
        "save does nothing": doing_nothing(InMemoryUsers, "save"),
        "managers are counted as admins": _counting(lambda user: user.active and user.role is not Role.AGENT),
        "inactive admins are counted": _counting(lambda user: user.role is Role.ADMIN),
        "all active users are counted as admins": _counting(lambda user: user.active),
        "at most two admins are counted": returning(InMemoryUsers, "count_active_admins", lambda count: min(count, 2)),
        "there is always an admin": returning(InMemoryUsers, "count_active_admins", lambda count: max(count, 1)),
        "an unknown user can be locked": with_methods(
            InMemoryUsers,
            lock=lambda self, user_id: deepcopy(self._users.get(user_id) or next(iter(self._users.values()), None)),
        ),
        "an unknown user is locked as None": with_methods(
            InMemoryUsers, lock=lambda self, user_id: deepcopy(self._users.get(user_id))
        ),
        "an unknown user is None": with_methods(
            InMemoryUsers, get=lambda self, user_id: deepcopy(self._users.get(user_id))
        ),
        "an unknown user is a KeyError": with_methods(
            InMemoryUsers, get=lambda self, user_id: deepcopy(self._users[user_id])
        ),
        "an unknown address is an error": with_methods(
            InMemoryUsers,
            find_by_email=lambda self, email: (
                deepcopy(next((it for it in self._users.values() if it.email == email), None))
                or (raising(NotFound("There is no such user.")) if self._users else None)
            ),
        ),
        "an unknown user is added by saving": _saving(
            lambda self, user: InMemoryUsers.save(self, user) if user.id in self._users else _put(self, user)
        ),
        "an unknown user is saved silently": _saving(
            lambda self, user: InMemoryUsers.save(self, user) if user.id in self._users else None
        ),
        "the version is not compared": _saving(
            lambda self, user: _put(self, user) if user.id in self._users else InMemoryUsers.save(self, user)
        ),
        "any later version is saved": _saving(
            lambda self, user: (
                _put(self, user)
                if user.id in self._users and user.version > self._users[user.id].version
                else InMemoryUsers.save(self, user)
            )
        ),
        "the stored version is saved again": _saving(
            lambda self, user: (
                _put(self, user)
                if user.id in self._users and user.version == self._users[user.id].version
                else InMemoryUsers.save(self, user)
            )
        ),
        "saving one user saves all": _saving(_save_all),
        "moments are cut to seconds": storing(InMemoryUsers, without_microseconds, "add", "save"),
        "moments of changes are cut to seconds": storing(InMemoryUsers, without_microseconds, "save"),
        "names are cut": storing(InMemoryUsers, cut("name", 100), "add", "save"),
        "names are cut by one character": storing(InMemoryUsers, cut("name", 199), "add", "save"),
        "changed names are cut": storing(InMemoryUsers, cut("name", 199), "save"),
        "names are cut by their bytes": storing(
            InMemoryUsers,
            lambda user: with_value(user, "name", lambda name: name.encode()[:255].decode("utf-8", "ignore")),
            "add",
            "save",
        ),
        "names have no characters beyond the basic plane": storing(
            InMemoryUsers,
            lambda user: with_value(
                user, "name", lambda name: "".join(it if it < "\U00010000" else "?" for it in name)
            ),
            "add",
            "save",
        ),
        "addresses are cut": storing(InMemoryUsers, cut("email", 100), "add", "save"),
        "hashes of passwords are cut": storing(InMemoryUsers, cut("password_hash", 60), "add", "save"),
        "phones are cut": storing(InMemoryUsers, cut("phone", 15), "add", "save"),
        "the phone is not stored": keeping(InMemoryUsers, "phone", "add", "save"),
        "a changed phone is not stored": keeping(InMemoryUsers, "phone", "save"),
        "the expiry of a one-time password is not stored": keeping(InMemoryUsers, "one_time_until", "add", "save"),
        "the daily summary is not stored": keeping(InMemoryUsers, "daily_summary", "add", "save"),
        "a changed role is not stored": _saving(
            lambda self, user: InMemoryUsers.save(
                self, replace(user, role=self._users[user.id].role) if user.id in self._users else user
            )
        ),
        "a deactivation is not stored": storing(
            InMemoryUsers, lambda user: with_value(user, "active", lambda _: True), "save"
        ),
        "addresses are patterns": with_methods(
            InMemoryUsers,
            find_by_email=lambda self, email: next(
                (deepcopy(it) for it in self._users.values() if fullmatch(email.replace("_", "."), it.email)), None
            ),
        ),
        "addresses are compared without accents": with_methods(
            InMemoryUsers,
            find_by_email=lambda self, email: next(
                (deepcopy(it) for it in self._users.values() if without_accents(it.email) == without_accents(email)),
                None,
            ),
        ),
        "an address may belong to two users": with_methods(InMemoryUsers, add=_put),
        "the address of an inactive user may be used again": with_methods(
            InMemoryUsers,
            add=lambda self, user: (
                raising(Conflict("Taken.", code="duplicate_user"))
                if any(it.email == user.email and it.active for it in self._users.values())
                else _put(self, user)
            ),
        ),
        "a used address is an error with another code": with_methods(
            InMemoryUsers,
            add=lambda self, user: (
                raising(Conflict("Taken."))
                if any(it.email == user.email for it in self._users.values())
                else _put(self, user)
            ),
        ),
        "a used address replaces its user": with_methods(InMemoryUsers, add=_add_replacing),
        "inactive users are not found by their address": returning(
            InMemoryUsers, "find_by_email", lambda user: user if user and user.active else None
        ),
        "inactive users are not found": returning(
            InMemoryUsers, "get", lambda user: user if user.active else raising(NotFound("There is no such user."))
        ),
        "the filter by role is ignored": _filtered(lambda filters: replace(filters, role=None)),
        "the filter by active users is ignored": _filtered(lambda filters: replace(filters, active=None)),
        "the filter by inactive users is ignored": _filtered(
            lambda filters: replace(filters, active=filters.active or None)
        ),
        "lists have only active users": _filtered(lambda filters: replace(filters, active=filters.active is not False)),
        "active users are listed without a limit": with_methods(
            InMemoryUsers, active=lambda self, *, limit: InMemoryUsers.active(self, limit=limit + 1000)
        ),
        "active users are listed up to one less": with_methods(
            InMemoryUsers, active=lambda self, *, limit: InMemoryUsers.active(self, limit=limit - 1)
        ),
        "inactive users are listed as active": with_methods(
            InMemoryUsers, active=lambda self, *, limit: deepcopy([*self._users.values()][:limit])
        ),
        "admins are not listed as active": returning(
            InMemoryUsers, "active", lambda users: [it for it in users if it.role is not Role.ADMIN]
        ),
        "a read user is the stored one": uncopied(InMemoryUsers, "get"),
        "a user who is found by an address is the stored one": uncopied(InMemoryUsers, "find_by_email"),
        "active users are the stored ones": uncopied(InMemoryUsers, "active"),
        "an added user is the stored one": uncopied(InMemoryUsers, "add"),
        "a saved user is the stored one": uncopied(InMemoryUsers, "save"),
        **pages_of(InMemoryUsers),
    },
)
