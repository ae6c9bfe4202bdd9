"""Tests of the tutorial: its commands, run in order, print what it shows."""

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.conftest import CHECKOUT
from tests.service_process import Service, environment

PAGE = (CHECKOUT / "docs" / "tutorials" / "first-call.md").read_text("utf-8")
SERVED_FROM = "## Log in\n"
END = "--- end of block ---"
LEFT_OUT = "…"
TIMEOUT_SECONDS = 90

# Values that differ from run to run.
CHANGING = re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f-]{36}\b|\b\d{4}-\d\d-\d\d(T[\d:.]+Z)?\b")


def commands_and_outputs() -> list[tuple[str, str]]:
    """Each block of commands, and what the page shows below it."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.partition(SERVED_FROM)[2], re.MULTILINE | re.DOTALL)
    pairs = []
    for number, (kind, text) in enumerate(blocks):
        if kind == "sh":
            following, output = blocks[number + 1] if number + 1 < len(blocks) else ("sh", "")
            pairs.append((text, "" if following == "sh" else output))
    return pairs


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    one = Service(tmp_path, {"UNITE_DEFAULT_COUNTRY": "US"}, migrates=True)
    one.start()
    yield one
    one.stop()


def zone_at_noon() -> str:
    """A time zone in which no midnight lies between the call and its report."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"


def missing_lines(shown: str, printed: str) -> list[str]:
    """The lines of the page that were not printed, or not in this order."""
    lines = iter([CHANGING.sub("*", line).rstrip().rstrip(",") for line in printed.splitlines()])
    expected = [CHANGING.sub("*", line).rstrip().rstrip(",") for line in shown.splitlines() if line.strip() != LEFT_OUT]
    return [line for line in expected if line not in lines]


def test_the_tutorial_prints_what_it_shows(service: Service, tmp_path: Path) -> None:
    pairs = commands_and_outputs()
    (tmp_path / "sample_leads.csv").write_bytes((CHECKOUT / "sample_leads.csv").read_bytes())
    script = "".join(f"{commands}\necho '{END}'\n" for commands, _ in pairs)
    script = script.replace("/v1/reports/daily", f"/v1/reports/daily?tz={quote(zone_at_noon(), safe='')}")

    done = subprocess.run(
        ["sh", "-eu", "-c", script.replace("http://127.0.0.1:8000", service.url)],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    printed = done.stdout.split(f"{END}\n")[:-1]
    assert len(printed) == len(pairs) > 10
    assert [missing_lines(shown, text) for (_, shown), text in zip(pairs, printed, strict=True)] == [[]] * len(pairs)
