"""Write the table of planted mistakes in workflows, hooks and images, and of the check that finds each.

The table is in docs/how-to/release-and-deploy.md. `make diagrams` writes it; a test fails if it is out of date.
"""

from pathlib import Path

from tests.infra.pipelines.mistakes import MISTAKES

PAGE = Path(__file__).resolve().parent.parent / "how-to" / "release-and-deploy.md"

BEGIN = "<!-- written by docs/tables/pipeline_mistakes.py -->\n"
END = "<!-- until here -->\n"


def page() -> str:
    """Return the page with the current table between the two marks."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    rows = [f"| {it.name} | `{it.file}` | {it.check}: `{it.says}` |" for it in MISTAKES]
    table = ["| mistake | in | found by |", "|---|---|---|", *rows]
    return "\n".join([before + BEGIN, *table, "", END + rest.partition(END)[2]])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
