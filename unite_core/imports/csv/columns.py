"""Mapping of the columns of a file to the fields of a lead."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from unite_core.email import parse_email
from unite_core.errors import FieldError
from unite_core.imports.csv.decoding import InvalidFile
from unite_core.imports.csv.error_report import REPORT_COLUMNS, unescape_formula
from unite_core.text import normalize

IGNORE = "ignore"
"""The value of an explicit mapping for a column to be left out; null means the same."""

MAX_COMPARED_LENGTH = 1000
"""Characters of a header that is compared by its meaning; a longer one is compared as it is."""

MAX_COLUMNS = 1000
"""Maximum number of columns, not counting empty ones at the end of the header and those of an error report."""

MAX_SHOWN_LENGTH = 200
"""Characters of a header in the columns of an import; longer ones are cut."""


@dataclass(frozen=True, slots=True)
class Field:
    """What a column can be: the name of the field, what sentences call it, and headers that mean it, the best first."""

    name: str
    words: str
    headers: str


IMPORTED = (
    Field(
        "name",
        "name",
        (
            "full name, name, contact name, lead name, customer name, client name, person, contact, customer, "
            "vollständiger name, kundenname, kontakt, ansprechpartner, nom complet, contact principal, client, "
            "nombre completo, nombre y apellidos, contacto, cliente"
        ),
    ),
    Field(
        "first_name",
        "first name",
        "first name, given name, forename, first, vorname, prénom, nombre, primer nombre",
    ),
    Field(
        "last_name",
        "last name",
        "last name, surname, family name, last, nachname, familienname, nom de famille, nom, apellidos, apellido",
    ),
    Field(
        "phone",
        "phone",
        (
            "phone, phone 1, phone number, phone no, primary phone, main phone, contact phone, contact number, "
            "telephone, telephone 1, telephone number, tel, tel no, "
            "telefon, telefon 1, telefonnummer, rufnummer, téléphone, numéro de téléphone, teléfono, teléfono 1, "
            "número de teléfono, "
            "mobile, mobile phone, mobile number, cell, cell phone, cellphone, cellular, "
            "mobil, mobiltelefon, handy, handynummer, portable, téléphone portable, móvil, celular, teléfono móvil, "
            "work phone, business phone, office phone, direct phone, home phone, "
            "telefon geschäftlich, téléphone professionnel, teléfono del trabajo"
        ),
    ),
    Field("phone_extension", "phone extension", "phone extension, phone ext, extension, ext, durchwahl, extensión"),
    Field(
        "email",
        "e-mail address",
        (
            "email, email address, email 1, primary email, contact email, mail, mail address, "
            "e-mail-adresse, mailadresse, courriel, adresse e-mail, adresse mail, correo electrónico, correo, "
            "work email, business email, personal email"
        ),
    ),
    Field("status", "status", "status, lead status, statut"),
    Field(
        "source",
        "source",
        "source, lead source, origin, channel, campaign, quelle, herkunft, origine, fuente, origen, canal",
    ),
    Field(
        "assigned_to",
        "assignee",
        (
            "assigned to, assignee, owner, agent, sales agent, sales rep, salesperson, zuständig, bearbeiter, "
            "assigné à, responsable, asignado a, propietario"
        ),
    ),
    Field(
        "company",
        "company",
        (
            "company, company name, organization, organization name, organisation, organisation name, account, "
            "account name, firm, firm name, business name, employer, firma, firmenname, unternehmen, unternehmensname, "
            "arbeitgeber, société, nom de la société, entreprise, nom de l'entreprise, raison sociale, empresa, "
            "nombre de la empresa, compañía, razón social, organización, azienda, ditta, bedrijf, bedrijfsnaam"
        ),
    ),
)
"""Every field; first and last name together make a lead's name.

Headers of other properties of a lead are missing on purpose: `Lead Owner` is often the owner in
another system, `Deal Stage` is no status of Unite, `Estado` may be a state of Mexico, `Poste` a position
in a company, and second numbers and addresses are excluded.
"""

FIELDS = tuple(field.name for field in IMPORTED)
"""What a column can be."""

_WORDS = {field.name: field.words for field in IMPORTED}
_NAME_FIELDS = ("name", "first_name", "last_name")
_SHOWN_HEADERS = 30
_SHOWN_LENGTH = 60


def header_key(header: str) -> str:
    """Return the key by which headers are compared: letters and digits, without case, accents and punctuation.

    A header longer than `MAX_COMPARED_LENGTH` has no meaning, and is returned as it is.
    """
    if len(header) > MAX_COMPARED_LENGTH:
        return header
    decomposed = normalize("NFKD", header.casefold())
    return "".join(character for character in decomposed.casefold() if character.isalnum())


_MEANINGS = {
    header_key(header): (rank, field.name)
    for field in IMPORTED
    for rank, header in enumerate(field.headers.split(", "))
}
_REPORT_KEYS = frozenset(map(header_key, REPORT_COLUMNS))


@dataclass(frozen=True, slots=True)
class Column:
    """A header as in the file, and its field; if it has none, `reason` says why the column is ignored."""

    header: str
    field: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The columns of a file, in order. No field occurs twice."""

    columns: tuple[Column, ...]

    def index(self, field: str) -> int | None:
        """Return the index of the column of `field`, counted from 0; None if there is none."""
        for index, column in enumerate(self.columns):
            if column.field == field:
                return index
        return None

    @property
    def mapped(self) -> int:
        """The number of columns that have a field."""
        return sum(column.field is not None for column in self.columns)

    def to_plain(self) -> list[dict[str, str | None]]:
        """Return plain values to store and show: `header`, `field` and `reason` of each column, long headers cut."""
        return [
            {"header": _short(it.header, MAX_SHOWN_LENGTH), "field": it.field, "reason": it.reason}
            for it in self.columns
        ]

    @classmethod
    def from_plain(cls, plain: Iterable[Mapping[str, str | None]]) -> "ColumnMap":
        """Return the map from the result of `to_plain`, with its long headers cut."""
        return cls(tuple(Column(it["header"] or "", it["field"], it["reason"]) for it in plain))


def map_columns(
    header: Sequence[str],
    explicit: Mapping[str, str | None] | None = None,
    *,
    line: int = 1,
    names_needed: bool = True,
) -> ColumnMap:
    """Return the field of each column of `header`, which is on `line` of its file.

    If two columns could be the same field the better synonym wins (Phone before Mobile before Work
    Phone), else the first. `name`, `first_name` and `last_name` may all be there: the name is used, and
    the other two in rows that leave it empty. `explicit` (header -> field, or `ignore` or None) takes
    precedence; its headers are looked up as they are, else by their keys. A file without names can
    only update leads: it is refused if `names_needed`.

    Raises `InvalidFile`: `too_many_columns`, `unknown_column`, `unknown_field`, `duplicate_mapping`,
    `no_header`, `no_contact_column`, `no_name_column`.
    """
    columns = map_known_columns(header, explicit, line=line)
    if columns.index("phone") is None and columns.index("email") is None:
        raise _no_contact_column(header, columns, line)
    if names_needed and all(columns.index(field) is None for field in _NAME_FIELDS):
        raise InvalidFile(
            f"No column of line {line} is a name. The columns are: {_listed(header)}. Call one “Name”, or two "
            "“First Name” and “Last Name”, or say in `columns` which one it is.",
            code="no_name_column",
            columns=columns.to_plain(),
        )
    return columns


def map_known_columns(
    header: Sequence[str], explicit: Mapping[str, str | None] | None = None, *, line: int = 1
) -> ColumnMap:
    """Map the columns as `map_columns` does, but accept a file without the columns that a lead needs."""
    plain = [unescape_formula(cell).strip() for cell in header]
    keys = [header_key(cell) for cell in plain]
    _refuse_too_many(plain, keys, line)
    chosen = _explicit_fields(plain, keys, explicit or {}, line)
    holders = {field: index for index, field in chosen.items() if field is not None}
    ranked = sorted(
        (*_MEANINGS[key], index) for index, key in enumerate(keys) if index not in chosen and key in _MEANINGS
    )
    for _, field, index in ranked:
        holders.setdefault(field, index)
    fields = {index: field for field, index in holders.items()}
    return ColumnMap(
        tuple(
            Column(cell, fields.get(index), _reason(index, keys[index], fields, chosen))
            for index, cell in enumerate(header)
        )
    )


def _reason(index: int, key: str, fields: Mapping[int, str], chosen: Mapping[int, str | None]) -> str | None:
    if index in fields:
        return None
    if index in chosen:
        return "ignored as asked"
    if key in _REPORT_KEYS:
        return "part of an error report"
    if key in _MEANINGS:
        return f"another column is the {_WORDS[_MEANINGS[key][1]]} already"
    return "unknown header" if key else "empty header"


def _refuse_too_many(plain: Sequence[str], keys: Sequence[str], line: int) -> None:
    last = max((index for index, cell in enumerate(plain) if cell), default=-1)
    own = sum(key not in _REPORT_KEYS for key in keys[: last + 1])
    if own > MAX_COLUMNS:
        raise InvalidFile(
            f"Line {line} has {own} columns; at most {MAX_COLUMNS} are read. Remove those that are not about leads.",
            code="too_many_columns",
        )


def _explicit_fields(
    plain: Sequence[str], keys: Sequence[str], explicit: Mapping[str, str | None], line: int
) -> dict[int, str | None]:
    """Return the field that the caller chose for each column, None for one to be ignored."""
    chosen: dict[int, str | None] = {}
    for asked, field in explicit.items():
        index = _find(asked, plain, keys)
        if index is None:
            raise InvalidFile(
                f"`columns` names “{_short(asked)}”, which line {line} does not have. Its columns are: "
                f"{_listed(plain)}.",
                code="unknown_column",
            )
        target = None if field == IGNORE else field
        if target is not None and target not in FIELDS:
            raise InvalidFile(
                f"`columns` calls “{_short(asked)}” “{_short(target)}”, which is no field. A field is one of "
                f"{', '.join(FIELDS)}, or {IGNORE}.",
                code="unknown_field",
            )
        if index in chosen or (target is not None and target in chosen.values()):
            raise InvalidFile(
                f"`columns` gives “{_short(asked)}” a meaning that clashes with another entry; name each column "
                "and each field once.",
                code="duplicate_mapping",
            )
        chosen[index] = target
    return chosen


def _find(asked: str, plain: Sequence[str], keys: Sequence[str]) -> int | None:
    exact = unescape_formula(asked).strip()
    if exact in plain:
        return plain.index(exact)
    key = header_key(exact)
    return keys.index(key) if key and key in keys else None


def _no_contact_column(header: Sequence[str], columns: ColumnMap, line: int) -> InvalidFile:
    if columns.mapped == 0 and any(not isinstance(parse_email(cell.strip()), FieldError) for cell in header):
        return InvalidFile(
            f"Line {line} looks like a lead, not like a header. Put a line above it that names the columns, for "
            "example “Name”, “Phone” and “Email”.",
            code="no_header",
            columns=columns.to_plain(),
        )
    return InvalidFile(
        f"No column of line {line} is a phone number or an e-mail address. The columns are: {_listed(header)}. Call "
        "one “Phone” or “Email”, or say in `columns` which one it is.",
        code="no_contact_column",
        columns=columns.to_plain(),
    )


def _listed(header: Sequence[str]) -> str:
    shown = [f"“{_short(cell.strip())}”" for cell in header[:_SHOWN_HEADERS]]
    if len(header) > _SHOWN_HEADERS:
        shown.append(f"and {len(header) - _SHOWN_HEADERS} more")
    return ", ".join(shown)


def _short(text: str, max_length: int = _SHOWN_LENGTH) -> str:
    return text if len(text) <= max_length else text[: max_length - 1] + "…"
