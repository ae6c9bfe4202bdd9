"""The last step of the demonstration: the daily report, which counts the corrected call once."""

from typing import Any

from entrypoints.cli.demo_people import Team, print_step, table
from entrypoints.cli.demo_service import DemoFailed


def show_report(team: Team) -> None:
    """Show the daily report as Mo, and follow the link of one count."""
    print_step(team.console, 11, "Mo reads the report of the day, and opens one of its numbers")
    # The call may have begun before midnight.
    (call,) = team.manager.call("GET", "/v1/call-logs?counted=true")["items"]
    report = team.manager.call("GET", f"/v1/reports/daily?date={call['called_at'][:10]}")
    figures = table("Agent", "Calls", "Completed", "Missed", "Completion rate", "Average seconds")
    for row in report["by_agent"]:
        figures.add_row(
            f"  {row['name']}",
            str(row["total"]["value"]),
            str(row["completed"]["value"]),
            str(row["missed"]["value"]),
            _rate(row["completion_rate"]),
            str(row["average_duration_seconds"]["value"]),
        )
    team.console.print(figures)
    voicemail = report["by_outcome"]["voicemail"]
    (entry,) = team.manager.call("GET", voicemail["items_url"])["items"]
    if (report["total_calls"]["value"], voicemail["value"], entry["number"]) != (1, 1, 2):
        raise DemoFailed(f"The report does not count the call as it was corrected: {report}")
    team.console.print("  voicemail: 1, which is entry 2 of the ledger, the correction; connected: 0")


def _rate(rate: dict[str, Any]) -> str:
    value = "none" if rate["value"] is None else f"{rate['value']:.0%}"
    return f"{value} ({rate['numerator']} of {rate['denominator']})"
