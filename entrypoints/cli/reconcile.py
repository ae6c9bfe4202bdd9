"""`reconcile`: whether MongoDB and the database say the same of the calls of some days, and what is different."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from datetime import timedelta

from entrypoints.bootstrap import OPERATOR, Started
from entrypoints.cli.application import (
    FAILED,
    USAGE,
    CommandFailed,
    errors_as_command_failed,
    open_application,
    print_error,
)
from entrypoints.cli.progress import ProgressBar, console
from unite_core.days import Period, parse_period
from unite_core.reports.differences import Difference
from unite_core.reports.metrics import CANCELLED, COMPLETED, MISSED, TOTAL_CALLS
from unite_core.reports.reconciliation import Reconciliation, Repaired
from unite_core.reports.tally import Tally


def run(arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Carry the command out; the exit code: 0 where all days are alike, else 1."""
    if arguments.date and (arguments.first or arguments.last):
        print_error("Give --date for one day, or --from and --to for several.")
        return USAGE
    try:
        with open_application(environ) as started, errors_as_command_failed():
            return _reconcile(arguments, started)
    except CommandFailed as refused:
        print_error(str(refused))
        return refused.code


def _reconcile(arguments: Namespace, started: Started) -> int:
    first, last = arguments.date or arguments.first, arguments.date or arguments.last
    names = ("--date", "--date") if arguments.date else ("--from", "--to")
    span = parse_period(first, last, arguments.tz, names=names, today=started.unite.clock.now())
    days = list(_days(span))
    lines: list[str] = []
    advice: dict[str, None] = {}
    differing = 0
    with ProgressBar(console(), "reconciled") as bar:
        for done, day in enumerate(days, start=1):
            repaired = started.unite.reports.repair(OPERATOR, day) if arguments.repair else Repaired()
            found = started.unite.reports.reconcile(OPERATOR, day)
            differing += not found.equal
            advice |= dict.fromkeys(_advice(found))
            lines += _described(found, repaired, alone=len(days) == 1)
            if len(days) > 1:
                bar.show(done, len(days), f"{done:,} of {len(days):,} days")
    print("\n".join([*lines, _summary(len(days), differing), *advice]))
    return FAILED if differing else 0


def _days(span: Period) -> Iterator[Period]:
    for number in range((span.last - span.first).days + 1):
        day = span.first + timedelta(days=number)
        yield Period(day, day, span.tz)


def _described(found: Reconciliation, repaired: Repaired, *, alone: bool) -> Iterator[str]:
    """What is to be said of a day; of one that is alike nothing, unless it was asked for alone or repaired."""
    if found.equal and not alone and repaired == Repaired():
        return
    yield f"{found.about.period.first} {found.about.period.tz}"
    yield f"  rollups    {_figures(found.rollups)}"
    yield f"  ledger     {_figures(found.ledger)}"
    yield f"  documents  {'none, as there is no MongoDB' if found.documents is None else _figures(found.documents)}"
    if found.pending:
        yield f"  {found.pending:,} on their way to the documents"
    if repaired != Repaired():
        yield f"  {repaired.written:,} written, {repaired.restored:,} restored, {repaired.removed:,} removed"
    for difference in found.differences:
        yield f"  {_difference(difference)}"
    more = found.number_of_differences - len(found.differences)
    if more:
        yield f"  and {more:,} differences more"


def _advice(found: Reconciliation) -> Iterator[str]:
    """Which command mends what was found."""
    if found.number_of_differences:
        yield "`reconcile --repair` makes the documents what the ledger says."
    if not found.rollups_equal:
        yield "`rebuild-reports` counts the rollups anew from the ledger."


def _figures(tally: Tally) -> str:
    counted = (f"{tally.count(metric):,} {metric.name}" for metric in (TOTAL_CALLS, COMPLETED, MISSED, CANCELLED))
    return f"{', '.join(counted)}, {tally.seconds:,} seconds"


def _difference(difference: Difference) -> str:
    what = f"{difference.kind}: call task {difference.task_id or 'unknown'}, entry {difference.entry_id or 'unknown'}"
    if difference.field is None:
        return what
    expected, found = difference.expected or "nothing", difference.found or "nothing"
    return f"{what}, {difference.field}: {expected} expected, {found} found"


def _summary(days: int, differing: int) -> str:
    number = "1 day" if days == 1 else f"{days:,} days"
    return f"{number} reconciled: {'no difference.' if not differing else f'{differing:,} with differences.'}"
