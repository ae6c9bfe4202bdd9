"""Use cases of users: add one, change one, ensure that there is an admin."""

from copy import copy
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from unite_core.checks import Input, SecretText, UseCase
from unite_core.clock import Clock
from unite_core.errors import Conflict, FieldError, Invalid
from unite_core.identity.model import Actor, Permission, Role, User
from unite_core.identity.ports import IdentityUnitOfWork, Passwords
from unite_core.identity.queries import require_visible
from unite_core.identity.validation import (
    email_key,
    normalize_password,
    parse_user_email,
    parse_user_name,
    parse_user_phone,
    password_error,
)
from unite_core.ids import Ids
from unite_core.phone import PhonePolicy
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.unset import UNSET, Unset
from unite_core.versions import require_version


@dataclass(frozen=True, kw_only=True)
class NewUser(Input):
    """A user to be added. `phone` may be None, or in any common notation."""

    email: str
    name: str
    role: Role
    password: SecretText
    phone: str | None = None


@dataclass(frozen=True)
class CreateUser(UseCase):
    """Add a user who can log in. Admins only.

    The e-mail address is unique among all users, without regard to case. A password has 12 to 256 characters, none of
    them a control character.

    Raises `Forbidden`, `Invalid` and `Conflict` (`duplicate_user`).
    """

    permission: ClassVar[Permission] = Permission.CHANGE_USERS
    work: UnitOfWorkFactory[IdentityUnitOfWork]
    passwords: Passwords
    clock: Clock
    ids: Ids
    phones: PhonePolicy

    def __call__(self, actor: Actor, new: NewUser) -> User:
        actor.must(self.permission)
        return self.unchecked(new)

    def unchecked(self, new: NewUser) -> User:
        """Add a user without checking who acts: for the command line, whose user owns the data anyway."""
        problems: list[FieldError] = []
        email = parse_user_email(new.email, problems)
        name = parse_user_name(new.name, problems)
        phone = parse_user_phone(new.phone, self.phones, problems)
        weak_password = password_error("password", new.password)
        if weak_password is not None:
            problems.append(weak_password)
        if problems:
            raise Invalid("The user breaks a rule.", problems=problems)
        now = self.clock.now()
        user = User(
            id=self.ids.new(),
            email=email,
            name=name,
            role=new.role,
            phone=phone,
            password_hash=self.passwords.hash(normalize_password(new.password)),
            active=True,
            created_at=now,
            updated_at=now,
        )
        return self.work.run(lambda work: self._store(work, user))

    def _store(self, work: IdentityUnitOfWork, user: User) -> User:
        work.users.add(user)
        return user


@dataclass(frozen=True)
class EnsureFirstAdmin(UseCase):
    """Add the first admin if there is no active one; safe to run at every start.

    Returns the user that was added, or None if there was nothing to do. Raises `Invalid`, also for another role.
    """

    create_user: CreateUser
    reads: UnitOfWorkFactory[IdentityUnitOfWork]

    def __call__(self, new: NewUser) -> User | None:
        if new.role is not Role.ADMIN:
            problem = FieldError(field="role", code="admin_required", detail="The first user is an admin.")
            raise Invalid("The user breaks a rule.", problems=[problem])
        with self.reads() as reads:
            if reads.users.count_active_admins() or reads.users.find_by_email(email_key(new.email)):
                return None
        try:
            return self.create_user.unchecked(new)
        except Conflict:  # another process that starts at the same time was quicker
            return None


@dataclass(frozen=True, kw_only=True)
class UserChanges(Input):
    """Changes to a user; UNSET leaves a field as it is."""

    user_id: UUID
    name: str | Unset = UNSET
    phone: str | None | Unset = UNSET
    role: Role | Unset = UNSET
    active: bool | Unset = UNSET
    expected_version: int | None = None


@dataclass(frozen=True)
class UpdateUser(UseCase):
    """Change a user's name, phone or role, deactivate or reactivate them. Admins only.

    Deactivating a user or changing the role ends the user's sessions. The last active admin can be neither
    deactivated nor given another role. A request that changes nothing does not change the version either.

    Raises `Forbidden`, `NotFound`, `Invalid`, `PreconditionFailed` and `Conflict` (`last_admin`).
    """

    work: UnitOfWorkFactory[IdentityUnitOfWork]
    clock: Clock
    phones: PhonePolicy

    def __call__(self, actor: Actor, changes: UserChanges) -> User:
        now = self.clock.now()
        with self.work() as work:
            require_visible(actor, changes.user_id)
            user = work.users.lock(changes.user_id)
            actor.must(Permission.CHANGE_USERS)
            require_version(changes.expected_version, user.version)
            before = copy(user)
            self._apply(user, changes)
            if user == before:
                return user
            was_admin = before.role is Role.ADMIN and before.active
            if was_admin and not (user.role is Role.ADMIN and user.active) and work.users.count_active_admins() == 1:
                raise Conflict("This is the last active admin; make another one first.", code="last_admin")
            user.mark_updated(now)
            work.users.save(user)
            if (user.role, user.active) != (before.role, before.active):
                work.sessions.revoke_all(user.id, now=now)
            work.commit()
        return user

    def _apply(self, user: User, changes: UserChanges) -> None:
        problems: list[FieldError] = []
        if not isinstance(changes.name, Unset):
            user.rename(parse_user_name(changes.name, problems))
        if not isinstance(changes.phone, Unset):
            user.set_phone(parse_user_phone(changes.phone, self.phones, problems))
        if not isinstance(changes.role, Unset):
            user.set_role(changes.role)
        if not isinstance(changes.active, Unset):
            if changes.active:
                user.reactivate()
            else:
                user.deactivate()
        if problems:
            raise Invalid("The changes break a rule.", problems=problems)
