"""Writes the mistakes that tests make in workflows, hooks and images into delivery.md, with the check that finds each.

`make diagrams` writes it; a test fails where it is out of date.
"""

from pathlib import Path

from tests.infra.pipelines.mistakes import MISTAKES

PAGE = Path(__file__).resolve().parent.parent / "how-to" / "release-and-deploy.md"

BEGIN = "<!-- written by docs/tables/pipeline_mistakes.py -->\n"
END = "<!-- until here -->\n"


def page() -> str:
    """The page as it has to be: as it is, with the table between the two marks."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    rows = [f"| {it.name} | `{it.file}` | {it.check}: `{it.says}` |" for it in MISTAKES]
    table = ["| mistake | in | found by |", "|---|---|---|", *rows]
    return "\n".join([before + BEGIN, *table, "", END + rest.partition(END)[2]])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
