"""Parse and validate the rows of a file as drafts of leads."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from operator import itemgetter
from uuid import UUID

from unite_core.errors import FieldError
from unite_core.imports.csv.columns import ColumnMap
from unite_core.imports.csv.error_report import REPLACEMENT_CHARACTER, unescape_formula
from unite_core.imports.csv.reading import Record
from unite_core.leads.details import NAME, TEXTS, LeadStatus, TextField, contact_error
from unite_core.phone import Phone, PhoneRule, parse_phone
from unite_core.text import clean, is_within_max_length

_MAX_SUGGESTIONS = 1000
_MAX_COMPARED_LENGTH = 100
_EXTENSION_MARK = re.compile(r"(?:ext|x|#)[.:]?\s*(?=\d)", re.IGNORECASE)
_CONTACT_FIELDS = ("phone", "phone_extension", "email")
_STATUSES = {status.value: status for status in LeadStatus}

_Problems = list[tuple[int, FieldError]]
"""The errors of a row, each with its column."""


@dataclass(slots=True)
class LeadDraft:
    """The values of a row. None: the cell is empty, or there is no such column. There is a phone or an e-mail.

    `texts` are those of the row, by the names of their fields; a field whose cell is empty is not among them.
    """

    row: int
    texts: dict[str, str | None]
    phone: Phone | None
    status: LeadStatus | None
    assigned_to: UUID | None

    @property
    def email(self) -> str | None:
        """The e-mail address, in lower case."""
        return self.texts.get("email")


@dataclass(frozen=True, slots=True)
class RowRules:
    """The data that is needed to validate rows besides the rows.

    `default_country` is a region in capitals (ISO 3166-1). `owners` maps the active users to their ids: by lower-cased
    e-mail address, by lower-cased name if only one user has it, and by id as text.
    """

    default_country: str | None
    phone_rule: PhoneRule
    owners: Mapping[str, UUID]


def missing_name_error(row: int) -> FieldError:
    """Return the error of a row that would create a lead but has no name; it could still update a lead."""
    return FieldError(field="name", code="required", detail=f"Row {row} has no name, and a new lead needs one.")


class RowInterpreter:
    """Converts records into drafts of leads, or returns all their errors in the order of columns.

    `width` is the number of columns of the header. An apostrophe that keeps a spreadsheet from reading a cell
    as a formula is not part of its value. If the name of a row is empty, its first and last name are used.
    """

    def __init__(self, columns: ColumnMap, rules: RowRules, width: int) -> None:
        self._width = width
        self._country = rules.default_country
        self._rule = rules.phone_rule
        self._owners = rules.owners
        self._name = columns.index("name")
        self._first_name = columns.index("first_name")
        self._last_name = columns.index("last_name")
        self._phone = columns.index("phone")
        self._extension = columns.index("phone_extension")
        self._texts = [
            (field, at) for field in TEXTS if field is not NAME and (at := columns.index(field.name)) is not None
        ]
        self._status = columns.index("status")
        self._owner = columns.index("assigned_to")
        self._close_statuses = _Suggestions(_STATUSES)
        self._close_owners = _Suggestions(owner for owner in rules.owners if "@" in owner)

    def __call__(self, record: Record) -> LeadDraft | tuple[FieldError, ...]:
        if record.problem is not None:
            return (record.problem,)
        cells: Sequence[str] = record.cells
        if len(cells) != self._width:
            surplus = self._surplus(cells)
            if surplus is not None:
                return (surplus,)
            cells = [*cells, *[""] * (self._width - len(cells))]
        problems: _Problems = []
        texts = self._read_texts(cells, problems)
        phone = self._read_phone(cells, problems)
        status = None if self._status is None else self._read_status(self._status, cells, problems)
        owner = None if self._owner is None else self._read_owner(self._owner, cells, problems)
        unreachable = contact_error(phone, texts.get("email"))
        if unreachable is not None and all(problem.field not in _CONTACT_FIELDS for _, problem in problems):
            problems.append((self._width, unreachable))
        if problems:
            return tuple(problem for _, problem in sorted(problems, key=itemgetter(0)))
        return LeadDraft(record.row, texts, phone, status, owner)

    def _surplus(self, cells: Sequence[str]) -> FieldError | None:
        if not any(map(_value, cells[self._width :])):
            return None
        detail = (
            f"The row has {len(cells)} cells, the header has {self._width}. Is there a delimiter in a cell that is "
            "not quoted?"
        )
        return FieldError(field="", code="too_many_cells", detail=detail)

    def _read_texts(self, cells: Sequence[str], problems: _Problems) -> dict[str, str | None]:
        texts: dict[str, str | None] = {}
        self._read_name(cells, texts, problems)
        for field, at in self._texts:
            text = _value(cells[at])
            if text:
                _put(texts, problems, field, text, at)
        return texts

    def _read_name(self, cells: Sequence[str], texts: dict[str, str | None], problems: _Problems) -> None:
        at = self._name
        name = "" if at is None else _value(cells[at])
        if not name:
            first = "" if self._first_name is None else _value(cells[self._first_name])
            last = "" if self._last_name is None else _value(cells[self._last_name])
            name = f"{first} {last}" if first and last else first or last
            at = self._first_name if first else self._last_name
        if name and at is not None:
            _put(texts, problems, NAME, name, at)

    def _read_phone(self, cells: Sequence[str], problems: _Problems) -> Phone | None:
        text = "" if self._phone is None else _value(cells[self._phone])
        extension = "" if self._extension is None else _value(cells[self._extension])
        if extension:
            extension = _EXTENSION_MARK.sub("", extension)
        if not text:
            if extension:
                detail = "An extension needs a phone number; add the number, or empty the cell."
                problem = FieldError(field="phone_extension", code="phone_required", detail=detail)
                problems.append((self._extension or 0, problem))
            return None
        read = parse_phone(text, country=self._country, rule=self._rule, extension=extension or None)
        if isinstance(read, Phone):
            return read
        at = self._extension if read.field == "phone_extension" and extension else self._phone
        problems.append((at or 0, read))
        return None

    def _read_status(self, at: int, cells: Sequence[str], problems: _Problems) -> LeadStatus | None:
        text = _value(cells[at]).lower()
        if not text:
            return None
        status = _STATUSES.get(text)
        if status is None:
            detail = f"This is no status; it is one of {', '.join(_STATUSES)}."
            close = self._close_statuses.to(text)
            problems.append((at, FieldError(field="status", code="unknown_status", detail=detail, suggestion=close)))
        return status

    def _read_owner(self, at: int, cells: Sequence[str], problems: _Problems) -> UUID | None:
        text = _value(cells[at]).lower()
        if not text:
            return None
        owner = self._owners.get(text)
        if owner is None:
            detail = "No active user has this e-mail address, id or name; write the e-mail address of one."
            close = self._close_owners.to(text)
            problems.append((at, FieldError(field="assigned_to", code="unknown_user", detail=detail, suggestion=close)))
        return owner


class _Suggestions:
    """Suggests the closest of some values; as this is slow, each text is compared once, and their number is limited."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = list(values)
        self._known: dict[str, str | None] = {}

    def to(self, text: str) -> str | None:
        """Return the value that was probably meant, None if none is close."""
        if text not in self._known:
            if len(text) > _MAX_COMPARED_LENGTH or len(self._known) >= _MAX_SUGGESTIONS:
                return None
            self._known[text] = next(iter(get_close_matches(text, self._values, n=1)), None)
        return self._known[text]


def _value(cell: str) -> str:
    if "'" in cell and is_within_max_length(cell):
        cell = unescape_formula(cell)
    return clean(cell)


def _put(texts: dict[str, str | None], problems: _Problems, field: TextField, text: str, at: int) -> None:
    """Read a cell that is not empty into `texts`; the rule that it breaks goes to `problems`."""
    value = field.read(text)
    if not isinstance(value, FieldError):
        damage = None if text.isascii() else _damage(field.name, text)
        if damage is None:
            texts[field.name] = value
            return
        value = damage
    problems.append((at, value))


def _damage(field: str, text: str) -> FieldError | None:
    """Return the error of a text in which a character was lost, in the file or before; None if there is none."""
    if REPLACEMENT_CHARACTER not in text:
        return None
    detail = f"Where it has {REPLACEMENT_CHARACTER} a character was lost; write the one that belongs there."
    return FieldError(field=field, code="broken_encoding", detail=detail)
