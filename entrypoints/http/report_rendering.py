"""What all reports have in common as the API shows them: counts, rates, how fresh they are, and their version."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from entrypoints.http.rendering import to_json
from entrypoints.http.report_csv import Column
from entrypoints.http.report_items import items_url
from unite_core.reports.model import AgentName, Count, ReportMeta
from unite_core.reports.tally import Rate

AGENT_COLUMNS = {"agent_id": Column.PLAIN, "name": Column.PLAIN}
"""The columns of an agent in a CSV file."""


@dataclass(frozen=True, slots=True)
class RenderedReport:
    """A report as JSON, and the table that it is as a CSV file."""

    content: Mapping[str, Any]
    columns: Mapping[str, Column]
    rows: Sequence[Mapping[str, Any]]
    version: str
    """Names what the report says: as long as that stays the same, so does its version."""


def count_json(count: Count) -> dict[str, Any]:
    """A count, and where what it has counted is listed."""
    return {"value": count.value, "items_url": items_url(count.items)}


def rate_json(rate: Rate) -> dict[str, Any]:
    """A rate; `value` is null where the denominator is 0."""
    return {"value": rate.value, "numerator": rate.numerator, "denominator": rate.denominator}


def render_report(
    about: ReportMeta,
    content: Mapping[str, Any],
    columns: Mapping[str, Column],
    rows: Sequence[Mapping[str, Any]],
) -> RenderedReport:
    """A report; its version is made of its content."""
    place = {"tz": about.period.tz, "restated_at": about.restated_at}
    version = version_of({**content, **place})
    fresh = {"complete_through": about.complete_through, "generated_at": about.generated_at, "version": version}
    return RenderedReport({**content, **place, **fresh}, columns, rows, version)


def version_of(says: Mapping[str, Any]) -> str:
    """Names what is said: the same for the same content."""
    return hashlib.sha256(to_json(says)).hexdigest()[:32]


def span_json(about: ReportMeta) -> dict[str, Any]:
    """The days that a report is about."""
    return {"from": about.period.first, "to": about.period.last}


def agent_json(agent: AgentName) -> dict[str, Any]:
    """An agent, or nobody."""
    return {"agent_id": agent.id, "name": agent.name}
