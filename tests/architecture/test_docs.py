"""Tests of the documentation: pictures and tables are up to date, and links lead to existing pages."""

import json
import re
import runpy
from dataclasses import fields
from pathlib import Path

import pytest

import unite_core
from entrypoints.bootstrap.version import VERSION
from tests.conftest import CHECKOUT
from tests.servers.finding import FORCE
from tests.servers.mongodb import MONGODB
from tests.servers.moto import MOTO
from tests.servers.mysql import MYSQL
from tests.servers.redis import REDIS
from unite_core.imports.csv.columns import FIELDS
from unite_core.leads.details import FILTERED_TEXTS, LeadDetails

PAGES = [
    *CHECKOUT.glob("*.md"),
    *(CHECKOUT / "docs").rglob("*.md"),
    *(CHECKOUT / "perf").glob("*.md"),
    *(CHECKOUT / "tests").rglob("*.md"),
]


def test_the_picture_of_the_packages_is_up_to_date() -> None:
    packages = runpy.run_path(str(CHECKOUT / "docs" / "diagrams" / "packages.py"))

    assert packages["draw"]() == packages["PICTURE"].read_text("utf-8"), "run `make diagrams`"


def test_the_pages_about_metrics_and_the_glossary_are_up_to_date() -> None:
    metrics = runpy.run_path(str(CHECKOUT / "docs" / "tables" / "metrics.py"))

    assert metrics["page"]() == metrics["PAGE"].read_text("utf-8"), "run `make diagrams`"
    assert metrics["glossary"]() == metrics["GLOSSARY"].read_text("utf-8"), "run `make diagrams`"


def test_the_page_about_events_is_up_to_date() -> None:
    events = runpy.run_path(str(CHECKOUT / "docs" / "tables" / "events.py"))
    names = {
        name
        for path in (CHECKOUT / "unite_core").rglob("*.py")
        if "testing" not in path.parts
        for name in re.findall(r'^[A-Z_]+ = "([a-z_]+\.[a-z_]+)"$', path.read_text("utf-8"), re.MULTILINE)
    }

    assert events["page"]() == events["PAGE"].read_text("utf-8"), "run `make diagrams`"
    assert len(names) > 15
    assert names <= {event.type for event in events["all_events"]()}


def _anchors(page: Path) -> set[str]:
    """The anchors of the headings of a page, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#{1,6} (.+?)\s*$", text, re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def _leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    other = page.parent / path if path else page
    return other.exists() and (not anchor or other.suffix != ".md" or anchor in _anchors(other))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(CHECKOUT).as_posix())
def test_every_link_within_the_project_has_a_target(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", page.read_text("utf-8"))
    targets += re.findall(r'(?:src|srcset|href)="(?!https?:)([^"]+)"', page.read_text("utf-8"))

    assert [target for target in targets if not _leads_somewhere(page, target)] == []


FRONT_PAGE = CHECKOUT / "docs" / "README.md"


def test_the_first_page_of_the_docs_links_to_every_page_once() -> None:
    links = re.findall(r"\]\(([^)#\s]+\.md)\)", FRONT_PAGE.read_text("utf-8"))
    folders = ("tutorials", "how-to", "reference", "explanation")
    pages = [path for folder in folders for path in (CHECKOUT / "docs" / folder).glob("*.md")]
    linked = [link for link in links if link.partition("/")[0] in folders]

    assert len(pages) > 30
    assert sorted(linked) == sorted(path.relative_to(FRONT_PAGE.parent).as_posix() for path in pages)


MENTIONED_IN = ("*.py", "*.yaml", "*.yml", "*.sh", "*.cfg", "*.toml", "Makefile", "Caddyfile")


def test_every_page_that_code_mentions_exists() -> None:
    folders = ("adapters", "entrypoints", "infra", "perf", "tests", "unite_core", "docs")
    files = [path for folder in folders for kind in MENTIONED_IN for path in (CHECKOUT / folder).rglob(kind)]
    files += [path for kind in MENTIONED_IN for path in CHECKOUT.glob(kind)]
    named = {name for path in files for name in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text("utf-8"))}

    assert len(named) > 10
    assert [name for name in sorted(named) if not (CHECKOUT / name).exists()] == []


def test_every_path_on_the_page_about_changes_exists() -> None:
    page = (CHECKOUT / "docs" / "reference" / "where-to-change.md").read_text("utf-8")
    paths = [name for name in re.findall(r"`([^`*]+)`", page) if "/" in name]

    assert len(paths) > 20
    assert [path for path in paths if not (CHECKOUT / path).exists()] == []


def test_the_page_about_testing_names_every_image_program_and_variable_of_test_servers() -> None:
    page = (CHECKOUT / "docs" / "reference" / "testing.md").read_text("utf-8")
    images = re.findall(r"image: (\S+)", (CHECKOUT / "tests" / "servers" / "docker-compose.yml").read_text("utf-8"))
    names = [*images, FORCE]
    for kind in (MYSQL, MONGODB, REDIS, MOTO):
        names += [kind.variable, *(program.name for program in kind.programs), *filter(None, [kind.package])]

    assert len(images) == 4
    assert [name for name in names if f"`{name}" not in page] == []


def test_the_page_about_imports_has_a_row_for_every_field() -> None:
    page = (CHECKOUT / "docs" / "reference" / "imports.md").read_text("utf-8")
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", page, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]

    assert [field for field in FIELDS if field not in named] == []


@pytest.mark.parametrize("schema", ["Lead", "NewLead", "LeadPatch"])
def test_the_openapi_document_has_every_detail_of_a_lead(schema: str) -> None:
    described = json.loads((CHECKOUT / "docs" / "openapi.json").read_text("utf-8"))
    properties = described["components"]["schemas"][schema]["properties"]

    assert [field.name for field in fields(LeadDetails) if field.name not in properties] == []


def test_the_openapi_document_has_every_filter_by_a_text_of_a_lead() -> None:
    described = json.loads((CHECKOUT / "docs" / "openapi.json").read_text("utf-8"))
    parameters = {parameter.get("name") for parameter in described["paths"]["/v1/leads"]["get"]["parameters"]}

    assert [field.name for field in FILTERED_TEXTS if field.name not in parameters] == []


def test_every_decision_is_in_the_index() -> None:
    decisions = CHECKOUT / "docs" / "decisions"
    index = (decisions / "README.md").read_text("utf-8")

    assert [path.name for path in decisions.glob("[0-9]*.md") if f"({path.name})" not in index] == []


def test_every_command_of_the_makefile_has_a_help_text() -> None:
    makefile = (CHECKOUT / "Makefile").read_text("utf-8")
    commands = re.findall(r"^\.PHONY: (\S+)$", makefile, re.MULTILINE)

    assert commands
    assert [name for name in commands if not re.search(rf"^{name}:.*## \w", makefile, re.MULTILINE)] == []


def test_the_glossary_is_in_alphabetical_order() -> None:
    # Figures, at its end, are in the order of their table.
    glossary = (CHECKOUT / "docs" / "reference" / "glossary.md").read_text("utf-8").partition("\n## Figures\n")[0]
    words = re.findall(r"^\| ([^|]+?) \|", glossary, re.MULTILINE)[1:]

    assert words == sorted(words, key=str.lower)


def test_the_page_about_security_names_existing_tests() -> None:
    page = (CHECKOUT / "docs" / "explanation" / "security.md").read_text("utf-8")
    named = re.findall(r"`(tests/[^`]+)`", page)

    assert len(re.findall(r"^### API\d+ ", page, re.MULTILINE)) == 10
    assert [path for path in named if not (CHECKOUT / path).exists()] == []


def test_the_version_is_that_of_the_library() -> None:
    assert unite_core.__version__ == VERSION
