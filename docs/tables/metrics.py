"""Write docs/reference/metrics.md, and the figures in the glossary, from the definitions that reports use.

`make diagrams` writes both; a test fails where they are out of date.
"""

from pathlib import Path

from unite_core.reports.metrics import COUNTS, FLAGS, MEANINGS, RATES, Flag

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "reference" / "metrics.md"
GLOSSARY = HERE.parent / "reference" / "glossary.md"

BEGIN = "<!-- written by docs/tables/metrics.py -->\n"
END = "<!-- until here -->\n"

HEAD = """# Metrics

This page defines the figures of [reports](reports.md). `GET /v1/reports/metrics` returns the same definitions; both
come from `unite_core/reports/metrics.py`.
"""


def page() -> str:
    """Return the page as it should be."""
    return "\n".join([HEAD, *_flags(), "", *_results(), "", *_counts(), "", *_rates(), ""])


def glossary() -> str:
    """Return the glossary with the current figures between the two marks."""
    before, _, rest = GLOSSARY.read_text("utf-8").partition(BEGIN)
    rows = [f"| {it.name} | {it.words} |" for it in COUNTS.values()]
    rows += [f"| {it.name} | {it.numerator}, of the {it.denominator}. |" for it in RATES.values()]
    return "\n".join([before + BEGIN, "| figure | meaning |", "|---|---|", *rows, "", END + rest.partition(END)[2]])


def _flags() -> list[str]:
    rows = [f"| `{flag}` | {meaning} |" for flag, meaning in MEANINGS.items()]
    return ["## Flags", "", "| flag | meaning |", "|---|---|", *rows]


def _results() -> list[str]:
    head = " | ".join(f"`{flag}`" for flag in Flag)
    rows = [
        f"| `{result}` | {' | '.join('yes' if flag in flags else '' for flag in Flag)} |"
        for result, flags in FLAGS.items()
    ]
    return ["## Results", "", f"| result | {head} |", "|---" * (len(Flag) + 1) + "|", *rows]


def _counts() -> list[str]:
    rows = [f"| `{it.name}` | {it.words} | {_listed(it.flags)} |" for it in COUNTS.values()]
    return ["## Counts", "", "| count | meaning | calls with one of |", "|---|---|---|", *rows]


def _rates() -> list[str]:
    rows = [
        f"| `{it.name}` | {it.numerator} ({_listed(it.numerator_flags)}) "
        f"| {it.denominator} ({_listed(it.denominator_flags)}) |"
        for it in RATES.values()
    ]
    return ["## Rates", "", "| rate | numerator | denominator |", "|---|---|---|", *rows]


def _listed(flags: tuple[Flag, ...]) -> str:
    return ", ".join(f"`{flag}`" for flag in flags)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    GLOSSARY.write_text(glossary(), "utf-8")
