"""A lead's details: the fields that users fill in, their limits and how each is parsed.

docs/how-to/add-a-field.md says what a new field needs.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import attrgetter
from typing import Self
from uuid import UUID

from unite_core.checks import Checked
from unite_core.email import MAX_EMAIL_LENGTH, parse_email
from unite_core.errors import FieldError
from unite_core.phone import Phone
from unite_core.text import clean, text_error

MAX_NAME_LENGTH = 200
MAX_SOURCE_LENGTH = 64
MAX_COMPANY_LENGTH = 200
DEFAULT_SOURCE = "api"


class LeadStatus(StrEnum):
    """The status of a lead."""

    NEW = "new"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    CONVERTED = "converted"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadDetails(Checked):
    """The details of a lead: its name, at least one of phone and e-mail, and more.

    Each text is in the form in which the `read` of its `TextField` returns it.
    """

    name: str
    phone: Phone | None
    email: str | None
    status: LeadStatus
    source: str
    assigned_to: UUID | None
    company: str | None = None

    @classmethod
    def of(
        cls, texts: Mapping[str, str | None], *, phone: Phone | None, status: LeadStatus, assigned_to: UUID | None
    ) -> Self:
        """Create details from the texts, by the names of their fields, and from the values that are not texts."""
        return cls(phone=phone, status=status, assigned_to=assigned_to, **texts)  # type: ignore[arg-type]  # a test holds the names and types in TEXTS against the attributes

    @property
    def texts(self) -> dict[str, str | None]:
        """The values of all text fields, by their names."""
        return dict(zip(_TEXT_NAMES, text_values(self), strict=True))

    @property
    def search_texts(self) -> list[str]:
        """The texts whose words find the lead."""
        return [text for text in _searched_values(self) if text]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextField:
    """A detail that is one line of text.

    `name` is the field's name everywhere: the attribute of `LeadDetails`, the property in JSON, the column in a
    database, the field of an import. `value` gets it out of the details. `read` takes a text that is already cleaned
    (`text.clean`) and returns the value to store, or the field error if the text breaks a rule.

    `searched`: its words find the lead. `filtered`: lists can be limited to its values, compared without case. Such a
    field is stored in lower case, unless it is `cased`: then a second column, `key_column`, has it in lower case.
    `description` and `example` are for the documentation of the API.
    """

    name: str
    max_length: int
    value: Callable[[LeadDetails], str | None]
    read: Callable[[str], str | None | FieldError]
    description: str = ""
    example: str = ""
    searched: bool = False
    filtered: bool = False
    cased: bool = False

    @property
    def key_column(self) -> str:
        """The column that filters compare."""
        return f"{self.name}_key" if self.cased else self.name

    @property
    def max_key_length(self) -> int:
        """Characters of a value in lower case: one character (İ) becomes two."""
        return 2 * self.max_length

    def key(self, details: LeadDetails) -> str | None:
        """Return the value that filters compare: the field's value in lower case."""
        value = self.value(details)
        return value.lower() if value is not None and self.cased else value

    def read_key(self, text: str) -> str | FieldError:
        """Return the value that a filter for `text`, already cleaned, compares; a field error if it is invalid."""
        value = self.read(text)
        if value is None:
            return FieldError(field=self.name, code="required", detail="A filter needs a value here.")
        return value if isinstance(value, FieldError) else value.lower()


def keys_rule(field: TextField) -> Callable[[str, Collection[str | None]], FieldError | None]:
    """Return the rule, for an annotation, that every text in a filter can be a value of the field."""

    def rule(name: str, texts: Collection[str | None]) -> FieldError | None:
        keys = (field.read_key(clean(text)) for text in texts if text is not None)
        return next((replace(key, field=name) for key in keys if isinstance(key, FieldError)), None)

    return rule


def keys_of(field: TextField, texts: Iterable[str | None]) -> frozenset[str]:
    """Return the values that a filter for these valid texts compares; None is left out."""
    keys = (field.read_key(clean(text)) for text in texts if text is not None)
    return frozenset(key for key in keys if isinstance(key, str))


def contact_error(phone: Phone | None, email: str | None) -> FieldError | None:
    """Return a field error if a lead has neither phone nor e-mail; None if it has at least one."""
    if phone is None and email is None:
        return FieldError(field="", code="contact_required", detail="A lead needs a phone number or an e-mail address.")
    return None


def _read_name(text: str) -> str | FieldError:
    if not text:
        return FieldError(field="name", code="required", detail="A lead needs a name.")
    return text_error("name", text, max_length=MAX_NAME_LENGTH) or text


def _read_source(text: str) -> str | FieldError:
    if not text:
        return FieldError(field="source", code="required", detail=f"A source has 1 to {MAX_SOURCE_LENGTH} characters.")
    source = text.lower()
    return text_error("source", source, max_length=MAX_SOURCE_LENGTH) or source


def _read_line(name: str, max_length: int) -> Callable[[str], str | None | FieldError]:
    """Return the `read` of a line of text that may be empty; its only rule is its maximum length."""

    def read(text: str) -> str | None | FieldError:
        return text_error(name, text, max_length=max_length) or text or None

    return read


NAME = TextField(
    name="name",
    max_length=MAX_NAME_LENGTH,
    value=lambda details: details.name,
    read=_read_name,
    searched=True,
)
EMAIL = TextField(
    name="email",
    max_length=MAX_EMAIL_LENGTH,
    value=lambda details: details.email,
    read=parse_email,
    searched=True,
)
SOURCE = TextField(
    name="source",
    max_length=MAX_SOURCE_LENGTH,
    value=lambda details: details.source,
    read=_read_source,
    description="Where the lead came from, in lower case.",
    filtered=True,
)

COMPANY = TextField(
    name="company",
    max_length=MAX_COMPANY_LENGTH,
    value=lambda details: details.company,
    read=_read_line("company", MAX_COMPANY_LENGTH),
    description="The company that the lead works for; empty is null.",
    example="Eckert-Mauchly",
    searched=True,
    filtered=True,
    cased=True,
)

OPTIONAL_TEXTS: tuple[TextField, ...] = (COMPANY,)
"""The lines of text that may be empty; their only rule is their maximum length."""

TEXTS = (NAME, EMAIL, SOURCE, *OPTIONAL_TEXTS)
FILTERED_TEXTS = tuple(field for field in TEXTS if field.filtered)
CASED_TEXTS = tuple(field for field in TEXTS if field.cased)

_TEXT_NAMES = tuple(field.name for field in TEXTS)

# An import creates details and reads their values for every row: `attrgetter` takes a third of the time of a loop.
text_values: Callable[[LeadDetails], tuple[str | None, ...]] = attrgetter(*_TEXT_NAMES)
"""The values of all text fields, in the order of `TEXTS`."""

_searched_values: Callable[[LeadDetails], tuple[str | None, ...]] = attrgetter(
    *(field.name for field in TEXTS if field.searched)
)
