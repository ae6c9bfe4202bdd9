"""Tests that the core names no provider and nothing of HTTP, which belong to adapters and entrypoints."""

import re

import pytest

from tests.conftest import CHECKOUT

WORDS = {
    "a provider's name": r"\b(?:twilio|sns|sqs|amazon|aws|flask|redis|mongodb|mysql|mariadb)\b",
    "a field of Twilio's": r"\b(?:sid|price|price_unit|num_segments|opt_out_type|OptOutType|MessageSid)\b",
    "a code of Twilio's": r"\b(?:20|21|30|63)[0-9]{3}\b",
    "a status of Twilio's": r"""["'](?:undelivered|canceled)["']""",
    "a word that Twilio acts on": r"""["'](?:STOP|STOPALL|UNSUBSCRIBE|OPTOUT|REVOKE|UNSTOP)["']""",
    "a path of the API": r"/v[0-9]+/",
    "a status of HTTP": r"""\bstatus(?:_code)?\b["']?\s*(?:==|=|:)\s*[1-5][0-9]{2}\b""",
}


def found_in(text: str) -> list[str]:
    """Return the words in a source file that do not belong into the core."""
    return [
        f"{number}: {what}: {match[0]}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in WORDS.items()
        for match in re.finditer(pattern, line, re.IGNORECASE)
    ]


def test_the_core_names_no_technology() -> None:
    files = sorted((CHECKOUT / "unite_core").rglob("*.py"))

    assert len(files) > 100
    assert [
        f"{path.relative_to(CHECKOUT)}:{each}" for path in files for each in found_in(path.read_text("utf-8"))
    ] == []


@pytest.mark.parametrize(
    "line",
    [
        'sid = response["sid"]',
        "if code == 21610:",
        'return f"{public_url}/v1/call-tasks/{task_id}"',
        'LOST = frozenset({"undelivered", "failed", "canceled"})',
        'STOP_WORDS = frozenset({"STOP"})',
        'known = response.get("price") is not None',
        "# As Twilio has it.",
        "if answer.status_code == 404:",
    ],
)
def test_the_check_finds_each_kind_of_technology(line: str) -> None:
    assert found_in(line)


def test_the_check_finds_twilios_terms_in_its_adapter() -> None:
    text = "".join(path.read_text("utf-8") for path in sorted((CHECKOUT / "adapters" / "twilio").glob("*.py")))

    missing = [what for what in WORDS if not any(f": {what}: " in each for each in found_in(text))]
    assert missing == ["a path of the API"]
