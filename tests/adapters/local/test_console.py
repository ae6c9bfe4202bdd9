"""Messages without anybody to carry them are shown in the log: a line each, and no number in full."""

import json
import logging

import pytest

from adapters.local.console import ConsoleTextMessages, ConsoleTopic
from entrypoints.logs import JsonLinesFormatter
from unite_core.testing.contracts.messages import a_text, a_topic_message


def line_of(caplog: pytest.LogCaptureFixture) -> dict[str, object]:
    (record,) = caplog.records
    line: dict[str, object] = json.loads(JsonLinesFormatter().format(record))
    return line


def test_a_text_message_is_one_line_with_its_text_and_the_end_of_the_number(caplog: pytest.LogCaptureFixture) -> None:
    message = a_text("Unite: call Zoë.", to="+12025550123")

    with caplog.at_level(logging.INFO, "unite.console"):
        receipt = ConsoleTextMessages().send(message)

    line = line_of(caplog)
    assert (line["logger"], line["level"], line["text"]) == ("unite.console", "INFO", "Unite: call Zoë.")
    assert (line["to"], line["correlation_id"]) == ("…0123", "from-the-test")
    assert "2025550123" not in json.dumps(line)
    assert receipt.response["sid"] == line["sid"] == f"console-{message.delivery_id}"
    assert receipt.response["status"] == "delivered"


def test_a_message_to_the_topic_is_one_line_with_all_that_would_be_published(caplog: pytest.LogCaptureFixture) -> None:
    message = a_topic_message(correlation_id=None)

    with caplog.at_level(logging.INFO, "unite.console"):
        (receipt,) = ConsoleTopic().publish([message])

    line = line_of(caplog)
    assert (line["type"], line["role"], line["body"]) == (message.type, message.role, message.body)
    assert "correlation_id" not in line
    assert receipt.response == {"message_id": line["message_id"]}


def test_of_a_message_that_went_nowhere_nothing_is_asked_later() -> None:
    console = ConsoleTextMessages()

    report = console.report_of(console.send(a_text()).response)

    assert report is not None
    assert report.settled


def test_of_a_message_that_somebody_else_carried_nothing_is_known() -> None:
    assert ConsoleTextMessages().report_of({"sid": "SM0", "status": "queued"}) is None
