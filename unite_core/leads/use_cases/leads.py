"""Use cases of leads: create, update and delete."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, TypeVar
from uuid import UUID

from unite_core.checks import Input, UseCase
from unite_core.clock import Clock
from unite_core.errors import FieldError, Forbidden, Invalid, NotFound
from unite_core.identity.model import Actor, Permission
from unite_core.identity.ports import IdentityUnitOfWork
from unite_core.ids import Ids
from unite_core.leads.details import EMAIL, NAME, TEXTS, LeadDetails, contact_error
from unite_core.leads.events import lead_changed, lead_created, lead_deleted
from unite_core.leads.model import Duplicate, DuplicateLead, Lead
from unite_core.leads.ports import LeadsUnitOfWork
from unite_core.leads.queries import visible_lead
from unite_core.leads.use_cases.inputs import LeadChanges, NewLead, read_extension, read_number, read_texts
from unite_core.phone import Phone, PhonePolicy
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.unset import Unset
from unite_core.versions import require_version

W = TypeVar("W", bound=LeadsUnitOfWork)

_OTHER_TEXTS = tuple(field for field in TEXTS if field is not NAME)
_TEXTS_AFTER_CONTACT = tuple(field for field in _OTHER_TEXTS if field is not EMAIL)


@dataclass(frozen=True)
class CreateLead(UseCase):
    """Create a lead.

    Admins and managers create leads for any user; a lead that an agent creates is assigned to that agent. A lead has
    a name and at least one of phone and e-mail, and shares neither with another lead that is not deleted.

    Raises `Invalid`, `Forbidden` and `DuplicateLead`, which names the other lead only to those who may see it.
    """

    permission: ClassVar[Permission | None] = None
    work: UnitOfWorkFactory[LeadsUnitOfWork]
    clock: Clock
    ids: Ids
    phones: PhonePolicy

    def __call__(self, actor: Actor, new: NewLead) -> Lead:
        details = self._details(new)
        now = self.clock.now()
        lead = Lead(
            id=self.ids.new(),
            details=details,
            created_at=now,
            updated_at=now,
            created_by=actor.stored_id,
        )
        return self.work.run(lambda work: self._add(work, actor, lead, new.assigned_to))

    def _details(self, new: NewLead) -> LeadDetails:
        """Return the details of the new lead, not yet assigned; raise `Invalid`."""
        problems: list[FieldError] = []
        texts = read_texts(new, (NAME,), problems)
        phone = read_number(new.phone, new.phone_extension, self.phones, problems)
        texts |= read_texts(new, _OTHER_TEXTS, problems)
        unreachable = contact_error(phone, texts.get("email"))
        if unreachable is not None and new.phone is None and new.email is None:
            problems.append(unreachable)
        if problems:
            raise Invalid("The lead breaks a rule.", problems=problems)
        return LeadDetails.of(texts, phone=phone, status=new.status, assigned_to=None)

    def _add(self, work: LeadsUnitOfWork, actor: Actor, lead: Lead, assigned_to: UUID | None) -> Lead:
        lead.assign(_assignee(work, actor, assigned_to))
        try:
            work.leads.add(lead)
        except DuplicateLead as duplicate:
            raise _without_hidden_leads(actor, duplicate, work) from None
        work.record(lead_created(self.ids.new(), lead.created_at, actor, lead))
        return lead


@dataclass(frozen=True)
class UpdateLead(UseCase):
    """Change a lead.

    Agents change the leads assigned to them and cannot reassign them; admins and managers change and
    reassign all. A changed lead follows the rules of a new lead. A request that changes nothing leaves the version
    unchanged.

    Raises `NotFound`, `Forbidden`, `Invalid`, `PreconditionFailed` and `DuplicateLead`.
    """

    work: UnitOfWorkFactory[LeadsUnitOfWork]
    clock: Clock
    ids: Ids
    phones: PhonePolicy

    def __call__(self, actor: Actor, changes: LeadChanges) -> Lead:
        with self.work() as work:
            lead = visible_lead(work, actor, changes.lead_id)
            require_version(changes.expected_version, lead.version)
            details = self._details(work, actor, lead.details, changes)
            if details == lead.details:
                return lead
            before, now = copy(lead), self.clock.now()
            lead.revise(details, now)
            lead.mark_updated(now)
            try:
                work.leads.save(lead)
            except DuplicateLead as duplicate:
                raise _without_hidden_leads(actor, duplicate, work) from None
            work.record(lead_changed(self.ids.new(), now, actor, before, lead))
            work.commit()
        return lead

    def _details(self, work: LeadsUnitOfWork, actor: Actor, before: LeadDetails, changes: LeadChanges) -> LeadDetails:
        """Return the details of the lead after the changes; raise `Forbidden` and `Invalid`."""
        problems: list[FieldError] = []
        texts = before.texts | read_texts(changes, (NAME,), problems)
        contact_problems: list[FieldError] = []
        phone = self._phone(before.phone, changes, contact_problems)
        texts |= read_texts(changes, (EMAIL,), contact_problems)
        unreachable = contact_error(phone, texts["email"])
        if unreachable is not None and not contact_problems:
            contact_problems.append(unreachable)
        problems += contact_problems
        texts |= read_texts(changes, _TEXTS_AFTER_CONTACT, problems)
        assigned_to = self._assigned_to(work, actor, before.assigned_to, changes)
        if problems:
            raise Invalid("The changes break a rule.", problems=problems)
        status = before.status if isinstance(changes.status, Unset) else changes.status
        return LeadDetails.of(texts, phone=phone, status=status, assigned_to=assigned_to)

    def _assigned_to(
        self, work: LeadsUnitOfWork, actor: Actor, before: UUID | None, changes: LeadChanges
    ) -> UUID | None:
        if isinstance(changes.assigned_to, Unset) or changes.assigned_to == before:
            return before
        if not actor.may(Permission.ASSIGN_LEADS):
            raise Forbidden("Only admins and managers give a lead to somebody else.")
        if changes.assigned_to is not None:
            _require_active(work, changes.assigned_to)
        return changes.assigned_to

    def _phone(self, before: Phone | None, changes: LeadChanges, problems: list[FieldError]) -> Phone | None:
        extension = changes.phone_extension
        if not isinstance(changes.phone, Unset):
            given = None if isinstance(extension, Unset) else extension
            phone = read_number(changes.phone, given, self.phones, problems)
            return phone.with_extension_of(before) if phone and isinstance(extension, Unset) else phone
        if not isinstance(extension, Unset):
            return read_extension(before.number if before else None, extension, problems)
        return before


@dataclass(frozen=True, kw_only=True)
class LeadToDelete(Input):
    """The lead to delete, and optionally the version that the caller saw."""

    lead_id: UUID
    expected_version: int | None = None


@dataclass(frozen=True)
class DeleteLead(UseCase, Generic[W]):
    """Delete a lead. Admins and managers only.

    The lead is hidden, not erased: another lead may have its phone and e-mail, and its history remains. Its open call
    tasks are cancelled.

    Raises `NotFound`, `Forbidden` and `PreconditionFailed`.
    """

    work: UnitOfWorkFactory[W]
    clock: Clock
    ids: Ids
    consequences: Sequence[Callable[[W, Actor, Lead, datetime], None]] = ()

    def __call__(self, actor: Actor, unwanted: LeadToDelete) -> None:
        self.work.run(lambda work: self._delete(work, actor, unwanted))

    def _delete(self, work: W, actor: Actor, unwanted: LeadToDelete) -> None:
        lead = visible_lead(work, actor, unwanted.lead_id)
        actor.must(Permission.DELETE_LEADS)
        require_version(unwanted.expected_version, lead.version)
        now = self.clock.now()
        lead.delete(now)
        lead.mark_updated(now)
        work.leads.save(lead)
        work.record(lead_deleted(self.ids.new(), now, actor, lead))
        for consequence in self.consequences:
            consequence(work, actor, lead, now)


def _assignee(work: IdentityUnitOfWork, actor: Actor, assignee_id: UUID | None) -> UUID | None:
    if not actor.may(Permission.ASSIGN_LEADS):
        if assignee_id not in (None, actor.user_id):
            raise Forbidden("What an agent adds is assigned to that agent; leave assigned_to out.")
        return actor.user_id
    if assignee_id is not None:
        _require_active(work, assignee_id)
    return assignee_id


def _require_active(work: IdentityUnitOfWork, user_id: UUID) -> None:
    problem = assignee_error(work, user_id, "assigned_to")
    if problem is not None:
        raise Invalid("A lead is assigned to an active user.", problems=[problem])


def assignee_error(work: IdentityUnitOfWork, user_id: UUID, field: str) -> FieldError | None:
    """Return a field error if leads cannot be assigned to this user: there is no such user, or they are deactivated."""
    try:
        user = work.users.get(user_id)
    except NotFound:
        return FieldError(field=field, code="unknown_user", detail="There is no such user.")
    if not user.active:
        return FieldError(field=field, code="unknown_user", detail="That user is deactivated.")
    return None


def _without_hidden_leads(actor: Actor, duplicate: DuplicateLead, work: LeadsUnitOfWork) -> DuplicateLead:
    """Return the same error without the ids of leads that the actor may not see."""
    if actor.may(Permission.SEE_ALL_LEADS):
        return duplicate
    return DuplicateLead(
        tuple(
            found
            if found.id is not None and work.leads.get(found.id).assigned_to == actor.user_id
            else Duplicate(found.field, None)
            for found in duplicate.duplicates
        )
    )
