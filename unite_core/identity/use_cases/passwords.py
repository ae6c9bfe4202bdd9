"""Use cases of passwords: change one's own, and reset that of another user."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from unite_core.checks import Checked, Input, SecretText, UseCase
from unite_core.clock import Clock
from unite_core.errors import FieldError, Forbidden, Invalid
from unite_core.identity.model import ONE_TIME_PASSWORD_TTL, Actor, Permission, User
from unite_core.identity.ports import IdentityUnitOfWork, Passwords
from unite_core.identity.use_cases.sessions import require_login_allowance
from unite_core.identity.validation import normalize_password, password_error, password_to_compare
from unite_core.rate_limits import RateLimits
from unite_core.unit_of_work import UnitOfWorkFactory


@dataclass(frozen=True, kw_only=True)
class PasswordChange(Input):
    """The current password and the new one."""

    current_password: SecretText
    new_password: SecretText


@dataclass(frozen=True)
class ChangePassword(UseCase):
    """Change one's own password.

    The caller proves the current password, with as many attempts a minute as for logging in. All their other
    sessions end; the current one goes on. A one-time password has to be replaced by a different one.

    Raises `Invalid` (`wrong_password`, or an error in the new password) and `TooManyRequests` (`too_many_logins`).
    """

    permission: ClassVar[Permission | None] = None
    work: UnitOfWorkFactory[IdentityUnitOfWork]
    reads: UnitOfWorkFactory[IdentityUnitOfWork]
    passwords: Passwords
    clock: Clock
    limits: RateLimits
    logins_per_minute: int

    def __call__(self, actor: Actor, change: PasswordChange) -> None:
        problem = password_error("new_password", change.new_password)
        if problem is not None:
            raise Invalid("The new password breaks a rule.", problems=[problem])
        self.count_attempt(actor)
        checked = self._require(actor, change.current_password)
        if checked.password_change_required:
            _require_another(change)
        hashed = self.passwords.hash(normalize_password(change.new_password))
        now = self.clock.now()
        self.work.run(lambda work: self._change(work, actor, change, checked, hashed, now))

    def _change(
        self, work: IdentityUnitOfWork, actor: Actor, change: PasswordChange, checked: User, hashed: str, now: datetime
    ) -> None:
        user = work.users.lock(actor.user_id)
        # The password may have been reset, or only rehashed, during the comparison.
        if user.password_hash != checked.password_hash and not self._matches(user, change.current_password):
            raise _wrong_password()
        user.set_password(hashed)
        user.mark_updated(now)
        work.users.save(user)
        acting = work.sessions.get(actor.session_id) if actor.session_id else None
        work.sessions.revoke_all(actor.user_id, now=now)
        if acting is not None:
            work.sessions.save(acting)

    def count_attempt(self, actor: Actor) -> None:
        """Count one attempt to prove a password; raise `TooManyRequests` (`too_many_logins`) if there were too many."""
        if self.logins_per_minute:
            require_login_allowance(self.limits.hit(f"password:{actor.user_id}", self.logins_per_minute))

    def require_in_force(self, actor: Actor, change: PasswordChange) -> None:
        """Raise `Invalid` (`wrong_password`) unless the new password of an earlier change is still the caller's.

        Then the response to that change may be returned again; after another change it may not. No attempt is counted.
        """
        self._require(actor, change.new_password)

    def _require(self, actor: Actor, password: str) -> User:
        with self.reads() as reads:
            user = reads.users.get(actor.user_id)
        if not self._matches(user, password):
            raise _wrong_password()
        return user

    def _matches(self, user: User, password: str) -> bool:
        password_hash = None if user.password_expired(self.clock.now()) else user.password_hash
        return self.passwords.matches(password_to_compare(password), password_hash)


@dataclass(frozen=True, kw_only=True)
class PasswordReset(Input):
    """The user whose password is to be reset, and the one-time password; None for a random one."""

    user_id: UUID
    password: SecretText | None = None


@dataclass(frozen=True, kw_only=True)
class OneTimePassword(Checked):
    """A password that is valid until `expires_at`, and has to be changed after the first login."""

    password: SecretText
    expires_at: datetime


@dataclass(frozen=True)
class ResetPassword(UseCase):
    """Reset a user's password to a one-time password. Admins only, and not for themselves.

    All sessions of the user end. With the one-time password they can log in for 24 hours, get their own user,
    change the password and log out; everything else is refused (`password_change_required`) until it is changed.
    Another reset replaces it. The password is shown once, in this response, and only its hash is stored.

    Raises `Forbidden`, `NotFound` and `Invalid`.
    """

    permission: ClassVar[Permission] = Permission.CHANGE_USERS
    work: UnitOfWorkFactory[IdentityUnitOfWork]
    passwords: Passwords
    clock: Clock

    def __call__(self, actor: Actor, reset: PasswordReset) -> OneTimePassword:
        actor.must(self.permission)
        # A stolen access token must not be enough to take over the account that it belongs to.
        if reset.user_id == actor.user_id:
            raise Forbidden("Change your own password with the current one, or ask another admin to reset it.")
        password = self.passwords.new_one_time_password() if reset.password is None else reset.password
        problem = password_error("password", password)
        if problem is not None:
            raise Invalid("The one-time password breaks a rule.", problems=[problem])
        hashed = self.passwords.hash(normalize_password(password))
        now = self.clock.now()
        one_time = OneTimePassword(password=password, expires_at=now + ONE_TIME_PASSWORD_TTL)
        with self.work() as work:
            user = work.users.lock(reset.user_id)
            user.set_one_time_password(hashed, one_time.expires_at)
            user.mark_updated(now)
            work.users.save(user)
            work.sessions.revoke_all(user.id, now=now)
            work.commit()
        return one_time


def _require_another(change: PasswordChange) -> None:
    if normalize_password(change.new_password) == normalize_password(change.current_password):
        error = FieldError(
            field="new_password", code="unchanged", detail="Choose another password than the one-time one."
        )
        raise Invalid("The new password breaks a rule.", problems=[error])


def _wrong_password() -> Invalid:
    wrong = FieldError(field="current_password", code="wrong_password", detail="This is not your password.")
    return Invalid("The current password is wrong.", code="wrong_password", problems=[wrong])
