"""What can be done to leads."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Generic, TypeVar
from uuid import UUID

from unite_core.clock import Clock
from unite_core.email import parse_email
from unite_core.errors import FieldError, Forbidden, Invalid, NotFound
from unite_core.identity.model import Actor, Permission
from unite_core.identity.ports import IdentityUnitOfWork
from unite_core.ids import Ids
from unite_core.leads.events import lead_changed, lead_created, lead_deleted
from unite_core.leads.model import (
    DEFAULT_SOURCE,
    Duplicate,
    DuplicateLead,
    Lead,
    LeadStatus,
    contact_error,
    name_error,
    source_error,
)
from unite_core.leads.ports import LeadsUnitOfWork
from unite_core.leads.queries import visible_lead
from unite_core.phone import Phone, PhonePolicy, parse_phone
from unite_core.text import clean
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.unset import UNSET, Unset
from unite_core.versions import require_version

W = TypeVar("W", bound=LeadsUnitOfWork)


@dataclass(frozen=True, kw_only=True)
class NewLead:
    """A lead to be added, as somebody wrote it."""

    name: str
    phone: str | None = None
    phone_extension: str | None = None
    email: str | None = None
    status: LeadStatus = LeadStatus.NEW
    source: str = DEFAULT_SOURCE
    assigned_to: UUID | None = None


@dataclass(frozen=True)
class CreateLead:
    """Add a lead.

    Admins and managers add leads for anybody; what an agent adds is assigned to that agent. A lead has a name
    and at least one of phone and e-mail, and shares neither with another lead that is not deleted.

    Raises `Invalid`, `Forbidden` and `DuplicateLead`, which names the other lead only to those who may see it.
    """

    permission: ClassVar[Permission | None] = None
    work: UnitOfWorkFactory[LeadsUnitOfWork]
    clock: Clock
    ids: Ids
    phones: PhonePolicy

    def __call__(self, actor: Actor, new: NewLead) -> Lead:
        problems: list[FieldError] = []
        name = _name(new.name, problems)
        phone = _phone(new.phone, new.phone_extension, self.phones, problems)
        email = _email(new.email, problems)
        source = _source(new.source, problems)
        unreachable = contact_error(phone, email)
        if unreachable is not None and new.phone is None and new.email is None:
            problems.append(unreachable)
        if problems:
            raise Invalid("The lead breaks a rule.", problems=problems)
        now = self.clock.now()
        lead = Lead(
            id=self.ids.new(),
            name=name,
            phone=phone,
            email=email,
            status=new.status,
            source=source,
            assigned_to=None,
            created_at=now,
            updated_at=now,
            created_by=actor.user_id,
        )
        return self.work.run(lambda work: self._add(work, actor, lead, new.assigned_to))

    def _add(self, work: LeadsUnitOfWork, actor: Actor, lead: Lead, assigned_to: UUID | None) -> Lead:
        lead.assign(_assignee(work, actor, assigned_to))
        try:
            work.leads.add(lead)
        except DuplicateLead as duplicate:
            raise _told_to(actor, duplicate, work) from None
        work.record(lead_created(self.ids.new(), lead.created_at, actor, lead))
        return lead


@dataclass(frozen=True, kw_only=True)
class LeadChanges:
    """What shall be different about a lead; UNSET leaves a thing as it is, None empties it.

    A phone number that carries no extension leaves the extension as it is; no number, no extension (RFC 7396, 2).
    """

    lead_id: UUID
    name: str | Unset = UNSET
    phone: str | None | Unset = UNSET
    phone_extension: str | None | Unset = UNSET
    email: str | None | Unset = UNSET
    status: LeadStatus | Unset = UNSET
    source: str | Unset = UNSET
    assigned_to: UUID | None | Unset = UNSET
    expected_version: int | None = None


@dataclass(frozen=True)
class UpdateLead:
    """Change a lead.

    Agents change the leads assigned to them and cannot give them away; admins and managers change and
    reassign all. The rules of a new lead hold for a changed one. What changes nothing leaves the version too.

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
            before = copy(lead)
            now = self.clock.now()
            self._apply(work, actor, lead, changes, now)
            if lead == before:
                return lead
            lead.touched(now)
            try:
                work.leads.save(lead)
            except DuplicateLead as duplicate:
                raise _told_to(actor, duplicate, work) from None
            work.record(lead_changed(self.ids.new(), now, actor, before, lead))
            work.commit()
        return lead

    def _apply(self, work: LeadsUnitOfWork, actor: Actor, lead: Lead, changes: LeadChanges, now: datetime) -> None:
        problems: list[FieldError] = []
        if not isinstance(changes.name, Unset):
            lead.rename(_name(changes.name, problems))
        self._change_contact(lead, changes, problems)
        if not isinstance(changes.status, Unset):
            lead.choose_status(changes.status, now)
        if not isinstance(changes.source, Unset):
            lead.come_from(_source(changes.source, problems))
        if not isinstance(changes.assigned_to, Unset) and changes.assigned_to != lead.assigned_to:
            if not actor.may(Permission.ASSIGN_LEADS):
                raise Forbidden("Only admins and managers give a lead to somebody else.")
            if changes.assigned_to is not None:
                _require_active(work, changes.assigned_to)
            lead.assign(changes.assigned_to)
        if problems:
            raise Invalid("The changes break a rule.", problems=problems)

    def _change_contact(self, lead: Lead, changes: LeadChanges, problems: list[FieldError]) -> None:
        phone, email = lead.phone, lead.email
        faults = len(problems)
        if not isinstance(changes.phone, Unset):
            given = changes.phone_extension
            phone = _phone(changes.phone, None if isinstance(given, Unset) else given, self.phones, problems)
            if isinstance(given, Unset) and phone and lead.phone and phone.extension is None:
                phone = replace(phone, extension=lead.phone.extension)
        elif not isinstance(changes.phone_extension, Unset):
            phone = _phone(phone.number if phone else None, changes.phone_extension, self.phones, problems)
        if not isinstance(changes.email, Unset):
            email = _email(changes.email, problems)
        unreachable = contact_error(phone, email)
        if unreachable is not None and len(problems) == faults:
            problems.append(unreachable)
        lead.reach_under(phone, email)


@dataclass(frozen=True, kw_only=True)
class LeadToDelete:
    """Which lead shall go, and the version that the caller saw, if they say so."""

    lead_id: UUID
    expected_version: int | None = None


@dataclass(frozen=True)
class DeleteLead(Generic[W]):
    """Delete a lead. Admins and managers only.

    It is hidden rather than erased: its phone and e-mail are free for another lead, its history is kept. The calls
    to it that are still to be made are cancelled.

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
        lead.hide(now)
        lead.touched(now)
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
    """Why leads cannot be given to this user: there is no such user, or they are deactivated."""
    try:
        user = work.users.get(user_id)
    except NotFound:
        return FieldError(field=field, code="unknown_user", detail="There is no such user.")
    if not user.active:
        return FieldError(field=field, code="unknown_user", detail="That user is deactivated.")
    return None


def _told_to(actor: Actor, duplicate: DuplicateLead, work: LeadsUnitOfWork) -> DuplicateLead:
    """The same error with the ids that the actor may not see left out."""
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


def _name(text: str, problems: list[FieldError]) -> str:
    name = clean(text)
    problem = name_error(name)
    if problem is not None:
        problems.append(problem)
    return name


def _source(text: str, problems: list[FieldError]) -> str:
    source = clean(text).lower()
    problem = source_error(source)
    if problem is not None:
        problems.append(problem)
    return source


def _phone(text: str | None, extension: str | None, policy: PhonePolicy, problems: list[FieldError]) -> Phone | None:
    if text is None:
        if extension is not None:
            problems.append(
                FieldError(
                    field="phone_extension", code="phone_required", detail="An extension goes with a phone number."
                )
            )
        return None
    extension = clean(extension) if extension is not None else None
    phone = parse_phone(clean(text), country=policy.default_country, rule=policy.rule, extension=extension)
    if isinstance(phone, FieldError):
        problems.append(phone)
        return None
    return phone


def _email(text: str | None, problems: list[FieldError]) -> str | None:
    if text is None:
        return None
    email = parse_email(clean(text))
    if isinstance(email, FieldError):
        problems.append(email)
        return None
    return email
