"""Tests of the file for unsent messages: contents, permissions and rotation; no message text in the log."""

import json
import logging
import stat
from pathlib import Path
from typing import Any

import pytest

from adapters.local.message_file import FILE, PREVIOUS_FILE, MessageFile, TextMessageFile, TopicFile
from entrypoints.logs import JsonLinesFormatter
from unite_core.errors import Unavailable
from unite_core.testing.contracts.messages import a_text, a_topic_message


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "adapters.local.message_file")


def line_of(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    (record,) = caplog.records
    line: dict[str, Any] = json.loads(JsonLinesFormatter().format(record))
    return line


def written(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_the_text_of_a_text_message_is_in_the_file_and_not_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    message = a_text("Unite: call Zoë.", to="+12025550123")

    receipt = TextMessageFile(MessageFile(tmp_path)).send(message)

    (stored,), line = written(tmp_path / FILE), line_of(caplog)
    sid = f"file-{message.delivery_id}"
    expected = {"sid": sid, "to": "…0123", "correlation_id": "from-the-test"}
    assert stored == {"kind": "text", **expected, "text": "Unite: call Zoë."}
    assert (line["level"], line["message"]) == ("INFO", "A text message would be sent.")
    assert expected.items() <= line.items()
    assert "Zoë" not in caplog.text + json.dumps(line, ensure_ascii=False)
    assert (receipt.response["sid"], receipt.response["status"]) == (sid, "delivered")


def test_the_body_of_a_topic_message_is_in_the_file_and_not_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    message = a_topic_message(correlation_id=None)

    (receipt,) = TopicFile(MessageFile(tmp_path)).publish([message])

    (stored,), line = written(tmp_path / FILE), line_of(caplog)
    assert stored == {
        "kind": "event",
        "message_id": f"file-{message.event_id}",
        "type": message.type,
        "role": message.role,
        "correlation_id": None,
        "body": message.body,
    }
    assert (line["type"], line["role"], line["message_id"]) == (message.type, message.role, stored["message_id"])
    assert "body" not in line
    assert receipt.response == {"message_id": stored["message_id"]}


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    MessageFile(tmp_path).append({"text": "Unite: call Zoë."})

    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_full_file_is_kept_as_the_previous_one_and_replaced_by_the_next(tmp_path: Path) -> None:
    file = MessageFile(tmp_path, max_bytes=30)

    for number in range(10):
        file.append({"number": number})

    numbers = [[it["number"] for it in written(tmp_path / name)] for name in (PREVIOUS_FILE, FILE)]
    assert numbers == [[6, 7, 8], [9]]
    assert len(list(tmp_path.iterdir())) == 2


def test_an_unwritable_file_is_unavailable_so_that_the_message_is_retried(tmp_path: Path) -> None:
    file = MessageFile(tmp_path / "missing")

    with pytest.raises(Unavailable, match=r"messages\.jsonl cannot be written: No such file or directory"):
        TextMessageFile(file).send(a_text())


def test_the_status_of_a_text_message_in_the_file_is_final(tmp_path: Path) -> None:
    texts = TextMessageFile(MessageFile(tmp_path))

    report = texts.report_of(texts.send(a_text()).response)

    assert report is not None
    assert report.settled


def test_the_status_of_a_text_message_of_another_provider_is_unknown(tmp_path: Path) -> None:
    assert TextMessageFile(MessageFile(tmp_path)).report_of({"sid": "SM0", "status": "queued"}) is None
