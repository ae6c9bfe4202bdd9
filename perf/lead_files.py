"""Generate lead files for measurements: as wide as real ones, with 5 % invalid and 5 % duplicate rows.

Usage: python -m perf.lead_files ROWS FILE
"""

import csv
import random
import sys
from pathlib import Path

HEADER = (
    "Index",
    "Account Id",
    "Lead Owner",
    "First Name",
    "Last Name",
    "Company",
    "Phone 1",
    "Phone 2",
    "Email 1",
    "Email 2",
    "Website",
    "Source",
    "Deal Stage",
    "Notes",
)
FIRST = ("Ada", "Blaise", "Chen", "Dorothy", "Emmy", "Fatima", "Grace", "Hedy", "Ida", "José", "Katherine", "Lise")
LAST = ("Abel", "Bose", "Curie", "Dirac", "Euler", "Fermi", "Gauß", "Hopper", "Ito", "Johnson", "Kovács", "Lovelace")
SOURCES = ("Webinars", "Networking Event", "Cold Call", "Referral", "Trade Show", "Organic Search")
WORDS = ("call", "again", "likes", "the", "blue", "one", "asked", "for", "prices", "in", "spring", "maybe")

# A step through the ten-digit numbers that is coprime to their count: a million unsorted numbers without a duplicate.
FIRST_NUMBER, NUMBERS, STEP = 2_000_000_000, 7_999_999_999, 4_256_233_067


def phone(row: int) -> str:
    """Return the phone number for that row: ten digits, in one of four usual notations."""
    digits = str(FIRST_NUMBER + row * STEP % NUMBERS)
    style = row % 4
    if style == 0:
        return f"+1-{digits[:3]}-{digits[3:6]}-{digits[6:]}"
    if style == 1:
        return f"({digits[:3]}){digits[3:6]}-{digits[6:]}"
    if style == 2:
        return f"{digits[:3]}.{digits[3:6]}.{digits[6:]}"
    return digits


def write(rows: int, path: Path) -> None:
    """Write a file of that many rows; the same number gives the same file."""
    generator = random.Random(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(HEADER)
        for row in range(rows):
            kind = generator.random()
            person = generator.randrange(row) if row and kind < 0.05 else row
            number = "12-34" if kind > 0.95 else phone(person)
            first, last = FIRST[person % 12], LAST[person // 12 % 12]
            lines.writerow(
                (
                    row + 1,
                    f"{person:010x}",
                    "Alice Esparza",
                    first,
                    last,
                    f"{last}, Wood and {first}",
                    number,
                    "",
                    f"{first.lower()}.{last.lower()}{person}@example{person % 97}.com".replace("é", "e")
                    .replace("ß", "ss")
                    .replace("á", "a"),
                    "",
                    f"https://www.example{person % 97}.com/",
                    SOURCES[person % 6],
                    "New Lead",
                    " ".join(generator.choices(WORDS, k=7)),
                )
            )


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
