"""The input of creating and updating a lead, `NewLead` and `LeadChanges`, and the parsing of its texts and phone."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from unite_core.checks import Input
from unite_core.errors import FieldError
from unite_core.leads.details import DEFAULT_SOURCE, LeadStatus, TextField
from unite_core.phone import Phone, PhonePolicy, parse_phone
from unite_core.text import clean
from unite_core.unset import UNSET, Unset


@dataclass(frozen=True, kw_only=True)
class NewLead(Input):
    """A lead to be created, as the client sent it."""

    name: str
    phone: str | None = None
    phone_extension: str | None = None
    email: str | None = None
    status: LeadStatus = LeadStatus.NEW
    source: str = DEFAULT_SOURCE
    assigned_to: UUID | None = None
    company: str | None = None


@dataclass(frozen=True, kw_only=True)
class LeadChanges(Input):
    """The changes to a lead; UNSET leaves a field unchanged, None clears it.

    A phone number without an extension leaves the extension unchanged; clearing the number clears the extension
    (RFC 7396, 2).
    """

    lead_id: UUID
    name: str | Unset = UNSET
    phone: str | None | Unset = UNSET
    phone_extension: str | None | Unset = UNSET
    email: str | None | Unset = UNSET
    status: LeadStatus | Unset = UNSET
    source: str | Unset = UNSET
    assigned_to: UUID | None | Unset = UNSET
    company: str | None | Unset = UNSET
    expected_version: int | None = None


def read_texts(
    given: NewLead | LeadChanges, fields: Iterable[TextField], problems: list[FieldError]
) -> dict[str, str | None]:
    """Return the given texts, by the names of their fields; append a field error to `problems` for each invalid one."""
    read: dict[str, str | None] = {}
    for field in fields:
        text: str | None | Unset = getattr(given, field.name)
        if isinstance(text, Unset):
            continue
        value = None if text is None else field.read(clean(text))
        if isinstance(value, FieldError):
            problems.append(value)
        else:
            read[field.name] = value
    return read


def read_number(
    text: str | None, extension: str | None, policy: PhonePolicy, problems: list[FieldError]
) -> Phone | None:
    """Return the given phone number; append a field error to `problems` if it is invalid."""
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
