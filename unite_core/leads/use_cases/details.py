"""A lead's details as somebody gives them, and how they are read."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from unite_core.errors import FieldError
from unite_core.leads.details import DEFAULT_SOURCE, LeadStatus, TextField
from unite_core.phone import Phone, PhonePolicy, parse_phone
from unite_core.text import clean
from unite_core.unset import UNSET, Unset


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
    company: str | None = None


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
    company: str | None | Unset = UNSET
    expected_version: int | None = None


def read_texts(
    given: NewLead | LeadChanges, fields: Iterable[TextField], problems: list[FieldError]
) -> dict[str, str | None]:
    """The texts that are given, by the names of their fields; the rules that they break go to `problems`."""
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
    """The phone number that is given; the rules that it breaks go to `problems`."""
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
