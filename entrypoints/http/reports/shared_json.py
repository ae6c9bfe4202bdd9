"""JSON parts that all reports share: counts, rates, freshness and version."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from entrypoints.http.framework.json_responses import to_json
from entrypoints.http.reports.item_links import items_url
from entrypoints.http.reports.report_csv import Column
from unite_core.reports.model import AgentName, Count, ReportMeta
from unite_core.reports.tally import Rate

AGENT_COLUMNS = {"agent_id": Column.PLAIN, "name": Column.PLAIN}
"""The CSV columns of an agent."""


@dataclass(frozen=True, slots=True)
class RenderedReport:
    """A rendered report: its JSON content, and the columns and rows of its CSV file."""

    content: Mapping[str, Any]
    columns: Mapping[str, Column]
    rows: Sequence[Mapping[str, Any]]
    version: str
    """A digest of the content: it changes only with the content."""


def count_json(count: Count) -> dict[str, Any]:
    """Return a count with the URL of the counted items."""
    return {"value": count.value, "items_url": items_url(count.items)}


def rate_json(rate: Rate) -> dict[str, Any]:
    """Return a rate; `value` is null if the denominator is 0."""
    return {"value": rate.value, "numerator": rate.numerator, "denominator": rate.denominator}


def render_report(
    about: ReportMeta,
    content: Mapping[str, Any],
    columns: Mapping[str, Column],
    rows: Sequence[Mapping[str, Any]],
) -> RenderedReport:
    """Return a report with its period, its freshness and the version of its content."""
    zone = {"tz": about.period.tz, "restated_at": about.restated_at}
    version = version_of({**content, **zone})
    freshness = {"complete_through": about.complete_through, "generated_at": about.generated_at, "version": version}
    return RenderedReport({**content, **zone, **freshness}, columns, rows, version)


def version_of(content: Mapping[str, Any]) -> str:
    """Return a digest of the content: the same for the same content."""
    return hashlib.sha256(to_json(content)).hexdigest()[:32]


def span_json(about: ReportMeta) -> dict[str, Any]:
    """Return the first and the last day of a report."""
    return {"from": about.period.first, "to": about.period.last}


def agent_json(agent: AgentName) -> dict[str, Any]:
    """Return the id and the name of an agent; both are null for calls of no agent."""
    return {"agent_id": agent.id, "name": agent.name}
