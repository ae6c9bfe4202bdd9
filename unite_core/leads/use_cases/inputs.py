"""The input of creating and updating a lead, `NewLead` and `LeadChanges`, and the parsing of its texts and phone."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from unite_core.checks import Input
from unite_core.errors import FieldError
from unite_core.leads.details import DEFAULT_SOURCE, LeadStatus, TextField
from unite_core.phone import Phone, PhonePolicy, extension_error, parse_phone
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

    An extension belongs to its number. The same number without an extension leaves the extension unchanged; another
    number has none unless one is given, and clearing the number clears the extension.
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
        return read_extension(None, extension, problems)
    extension = clean(extension) if extension is not None else None
    phone = parse_phone(clean(text), country=policy.default_country, rule=policy.rule, extension=extension)
    if isinstance(phone, FieldError):
        problems.append(phone)
        return None
    return phone


def read_extension(number: str | None, extension: str | None, problems: list[FieldError]) -> Phone | None:
    """Return a number that is stored already with this extension; append a field error if the extension is invalid."""
    if number is None:
        if extension is not None:
            detail = "An extension goes with a phone number."
            problems.append(FieldError(field="phone_extension", code="phone_required", detail=detail))
        return None
    if extension is None:
        return Phone(number)
    extension = clean(extension)
    problem = extension_error(extension)
    if problem is not None:
        problems.append(problem)
        return None
    return Phone(number, extension)
