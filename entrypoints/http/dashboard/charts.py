"""Build the charts of the dashboard from its figures."""

from collections.abc import Sequence

from entrypoints.http.dashboard.chart_geometry import Bar, Chart, Group, bars_of, columns_of
from entrypoints.http.dashboard.formats import thousands
from entrypoints.http.dashboard.views import AgentFigures, HourFigures, SourceFigures

HOURS_BETWEEN_LABELS = 6
UNKNOWN_SOURCE = "unknown"


def chart_of_agents(agents: Sequence[AgentFigures]) -> Chart:
    """Return a chart with a bar for each agent: completed calls, then missed ones."""
    return bars_of([Group(agent.name, [_bar_of_agent(agent)]) for agent in agents])


def chart_of_hours(hours: Sequence[HourFigures]) -> Chart:
    """Return a chart with a column for each hour: all calls, and in front of them the contacts."""
    columns = [(hour.label, (hour.calls.value, hour.contacts.value)) for hour in hours]
    return columns_of(columns, label_every=HOURS_BETWEEN_LABELS)


def chart_of_sources(sources: Sequence[SourceFigures]) -> Chart:
    """Return a chart with a bar for each stage of each source."""
    return bars_of([_group_of_source(source) for source in sources])


def _bar_of_agent(agent: AgentFigures) -> Bar:
    completed, missed = agent.completed.value, agent.missed.value
    text = thousands(completed) + (f" + {thousands(missed)} missed" if missed else "")
    return Bar([(0, completed), (1, missed)], text)


def _group_of_source(source: SourceFigures) -> Group:
    stages = {
        "leads": source.leads,
        "called": source.called,
        "contacted": source.contacted,
        "converted": source.converted,
    }
    bars = [
        Bar([(series, count.value)], f"{thousands(count.value)} {stage}")
        for series, (stage, count) in enumerate(stages.items())
    ]
    return Group(source.source or UNKNOWN_SOURCE, bars)
