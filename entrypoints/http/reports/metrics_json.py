"""JSON and CSV rows of the metric definitions."""

from collections.abc import Sequence
from typing import Any

from entrypoints.http.reports.report_csv import Column
from entrypoints.http.reports.shared_json import RenderedReport, version_of
from unite_core.reports.metrics import COUNTS, FLAGS, MEANINGS, RATES, Flag


def metrics() -> RenderedReport:
    """Return the definitions of all metrics."""
    content = _definitions()
    rows = [_definition(metric.name, metric.words, metric.flags) for metric in COUNTS.values()]
    rows += [
        _definition(metric.name, metric.numerator, metric.numerator_flags, metric.denominator, metric.denominator_flags)
        for metric in RATES.values()
    ]
    return RenderedReport(content, dict.fromkeys(rows[0], Column.PLAIN), rows, version_of(content))


def _definition(
    name: str, numerator: str, flags: Sequence[Flag], denominator: str | None = None, of: Sequence[Flag] = ()
) -> dict[str, Any]:
    return {
        "name": name,
        "numerator": numerator,
        "numerator_flags": " ".join(flags),
        "denominator": denominator,
        "denominator_flags": " ".join(of),
    }


def _definitions() -> dict[str, Any]:
    return {
        "flags": [{"name": flag.value, "meaning": meaning} for flag, meaning in MEANINGS.items()],
        "results": [{"result": result.value, "flags": sorted(flags)} for result, flags in FLAGS.items()],
        "counts": [
            {"name": metric.name, "meaning": metric.words, "flags": [flag.value for flag in metric.flags]}
            for metric in COUNTS.values()
        ],
        "rates": [
            {
                "name": metric.name,
                "numerator": {"meaning": metric.numerator, "flags": [flag.value for flag in metric.numerator_flags]},
                "denominator": {
                    "meaning": metric.denominator,
                    "flags": [flag.value for flag in metric.denominator_flags],
                },
                "unit": "seconds" if metric.of_seconds else "share",
            }
            for metric in RATES.values()
        ],
    }
