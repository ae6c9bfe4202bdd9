"""Taking another password."""

from dataclasses import dataclass
from typing import ClassVar

from unite_core.clock import Clock
from unite_core.errors import Invalid, Problem
from unite_core.identity.contact import normal_password, password_problem, password_to_compare
from unite_core.identity.model import Actor, Permission
from unite_core.identity.ports import IdentityWork, Passwords
from unite_core.identity.use_cases.sessions import require_login_allowance
from unite_core.rate_limits import RateLimits
from unite_core.unit_of_work import Work


@dataclass(frozen=True, kw_only=True)
class PasswordChange:
    """The password that was, and the one that shall be."""

    current_password: str
    new_password: str


@dataclass(frozen=True)
class ChangePassword:
    """Take another password.

    The caller proves the current one, and has as many tries a minute as for logging in. Every other session of
    theirs ends; the one they act in goes on.

    Raises `Invalid` (`wrong_password`, or a problem with the new one) and `TooMany` (`too_many_logins`).
    """

    permission: ClassVar[Permission | None] = None
    work: Work[IdentityWork]
    reads: Work[IdentityWork]
    passwords: Passwords
    clock: Clock
    limits: RateLimits
    logins_per_minute: int

    def __call__(self, actor: Actor, change: PasswordChange) -> None:
        problem = password_problem("new_password", change.new_password)
        if problem is not None:
            raise Invalid("The new password breaks a rule.", problems=[problem])
        self.count_attempt(actor)
        self._require(actor, change.current_password)
        hashed = self.passwords.hash(normal_password(change.new_password))
        now = self.clock.now()
        with self.work() as work:
            user = work.users.hold(actor.user_id)
            user.take_password(hashed)
            user.touched(now)
            work.users.save(user)
            acting = work.sessions.get(actor.session_id) if actor.session_id else None
            work.sessions.revoke_all(actor.user_id, now=now)
            if acting is not None:
                work.sessions.save(acting)
            work.commit(None)

    def count_attempt(self, actor: Actor) -> None:
        """Count one attempt to prove a password; raises `TooMany` (`too_many_logins`) where there were too many."""
        if self.logins_per_minute:
            require_login_allowance(self.limits.hit(f"password:{actor.user_id}", self.logins_per_minute))

    def require_in_force(self, actor: Actor, change: PasswordChange) -> None:
        """Raise `Invalid` (`wrong_password`) unless the new password of an earlier change is still the caller's.

        Such a change may be answered again. After another change it proves nothing any more. No attempt is counted.
        """
        self._require(actor, change.new_password)

    def _require(self, actor: Actor, password: str) -> None:
        with self.reads() as reads:
            user = reads.users.get(actor.user_id)
        if not self.passwords.matches(password_to_compare(password), user.password_hash):
            wrong = Problem(field="current_password", code="wrong_password", detail="This is not your password.")
            raise Invalid("The current password is wrong.", code="wrong_password", problems=[wrong])
