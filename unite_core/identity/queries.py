"""Queries of users: get one, list them."""

from dataclasses import dataclass
from uuid import UUID

from unite_core.checks import UseCase
from unite_core.errors import NotFound
from unite_core.identity.model import Actor, Permission, User
from unite_core.identity.ports import IdentityUnitOfWork, UserFilter
from unite_core.paging import Page, PageRequest
from unite_core.unit_of_work import UnitOfWorkFactory


@dataclass(frozen=True)
class GetUser(UseCase):
    """Get a user. Agents can get only themselves, other roles every user.

    Raises `NotFound`.
    """

    reads: UnitOfWorkFactory[IdentityUnitOfWork]

    def __call__(self, actor: Actor, user_id: UUID) -> User:
        with self.reads() as reads:
            require_visible(actor, user_id)
            return reads.users.get(user_id)


@dataclass(frozen=True)
class ListUsers(UseCase):
    """List users, newest first. Agents get only themselves."""

    reads: UnitOfWorkFactory[IdentityUnitOfWork]

    def __call__(self, actor: Actor, filters: UserFilter, request: PageRequest) -> Page[User]:
        with self.reads() as reads:
            if actor.may(Permission.LIST_USERS):
                return reads.users.page(filters, request)
            me = reads.users.get(actor.user_id)
        matches = filters.role in (None, me.role) and filters.active in (None, me.active) and request.after is None
        return Page([me] if matches else [], None)


def require_visible(actor: Actor, user_id: UUID) -> None:
    """Raise `NotFound` if the actor may not see that user: agents see only themselves."""
    if not actor.may(Permission.LIST_USERS) and user_id != actor.user_id:
        raise NotFound("There is no such user.")
