"""Tests of delivery reports made from Twilio's statuses and error codes."""

import pytest

from adapters.twilio.delivery_reports import LOST, PROGRESS, report_of
from tests.conftest import CHECKOUT
from unite_core.notifications.delivery_reports import DeliveryReport, MessageProgress

SID = "SM0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e"


@pytest.mark.parametrize(
    ("status", "progress"),
    [
        ("queued", MessageProgress.QUEUED),
        ("accepted", MessageProgress.QUEUED),
        ("scheduled", MessageProgress.QUEUED),
        ("sending", MessageProgress.SENDING),
        ("sent", MessageProgress.SENT),
        ("delivered", MessageProgress.DELIVERED),
        ("undelivered", MessageProgress.FAILED),
        ("failed", MessageProgress.FAILED),
        ("canceled", MessageProgress.FAILED),
        ("teleported", MessageProgress.UNKNOWN),
        (None, MessageProgress.UNKNOWN),
    ],
)
def test_each_status_maps_to_a_progress(status: str | None, progress: MessageProgress) -> None:
    response = {"sid": SID, "status": status}

    assert report_of(response) == DeliveryReport(message_id=SID, progress=progress, complete=False, response=response)


def test_undelivered_failed_and_canceled_messages_are_lost() -> None:
    assert {"undelivered", "failed", "canceled"} == LOST


def test_a_report_with_a_price_is_complete() -> None:
    report = report_of({"sid": SID, "status": "delivered", "price": "-0.00790"})

    assert report is not None
    assert report.complete
    assert report.settled


@pytest.mark.parametrize(("code", "opted_out"), [(21610, True), (30003, False), (None, False)])
def test_one_error_code_means_an_opt_out(code: int | None, *, opted_out: bool) -> None:
    report = report_of({"sid": SID, "status": "failed", "error_code": code})

    assert report is not None
    assert report.opted_out is opted_out
    assert report.response.get("reason") == ("opted_out" if opted_out else None)
    assert report.response["error_code"] == code


def test_a_response_without_a_message_has_no_report() -> None:
    assert report_of({"error_code": 21211, "reason": "not_a_number"}) is None


def test_the_page_about_messages_lists_all_statuses() -> None:
    page = (CHECKOUT / "docs" / "reference" / "messages.md").read_text("utf-8")

    assert [status for status in PROGRESS if f"`{status}`" not in page] == []
