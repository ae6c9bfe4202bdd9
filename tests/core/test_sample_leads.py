"""Tests of sample_leads.csv: its 100 rows are 89 leads, 4 duplicates and 7 rejections, as the documentation says."""

import csv
from collections import Counter
from pathlib import Path

from unite_core.email import parse_email
from unite_core.errors import FieldError
from unite_core.phone import parse_phone

SAMPLE = Path(__file__).resolve().parents[2] / "sample_leads.csv"


def _rows() -> list[dict[str, str]]:
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_sample_has_common_headers() -> None:
    assert list(_rows()[0]) == ["Full Name", "Phone", "E-mail", "Lead Source", "City", "Notes"]


def test_100_rows_are_89_leads_4_duplicates_and_7_rejections() -> None:
    outcomes: Counter[str] = Counter()
    known: set[str] = set()

    for row in _rows():
        phone = parse_phone(row["Phone"], country="US") if row["Phone"] else None
        email = parse_email(row["E-mail"]) if row["E-mail"] else None
        wrong = isinstance(phone, FieldError), isinstance(email, FieldError)
        keys = {key for key in (getattr(phone, "key", None), email) if isinstance(key, str)}
        if any(wrong):
            outcomes["phone" if wrong[0] else "email"] += 1
        elif not keys:
            outcomes["contact"] += 1
        elif not row["Full Name"]:
            outcomes["name"] += 1
        elif keys & known:
            outcomes["repeat"] += 1
        else:
            outcomes["lead"] += 1
            known |= keys

    assert outcomes == {"lead": 89, "repeat": 4, "phone": 3, "email": 2, "contact": 1, "name": 1}


def test_all_people_in_the_sample_are_fictional() -> None:
    hosts = {row["E-mail"].rpartition("@")[2].lower() for row in _rows() if "@" in row["E-mail"]}

    assert all(host.endswith(("example.com", "example.org", "example.net")) for host in hosts)
