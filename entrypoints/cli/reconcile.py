"""The `reconcile` command: compare the calls of days in MongoDB and the database, and repair the documents."""

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
from unite_core.periods import Period, parse_period
from unite_core.reports.differences import Difference
from unite_core.reports.metrics import CANCELLED, COMPLETED, MISSED, TOTAL_CALLS
from unite_core.reports.reconciliation import Reconciliation, Repaired
from unite_core.reports.tally import Tally


def run(arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return the exit code: 0 if all days are equal, else 1."""
    if arguments.date and (arguments.first or arguments.last):
        print_error("Give --date for one day, or --from and --to for several.")
        return USAGE
    try:
        with open_application(environ) as started, errors_as_command_failed():
            return _reconcile(arguments, started)
    except CommandFailed as error:
        print_error(str(error))
        return error.code


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
            result = started.unite.reports.reconcile(OPERATOR, day)
            differing += not result.equal
            advice |= dict.fromkeys(_advice(result))
            lines += _described(result, repaired, alone=len(days) == 1)
            if len(days) > 1:
                bar.show(done, len(days), f"{done:,} of {len(days):,} days")
    print("\n".join([*lines, _summary(len(days), differing), *advice]))
    return FAILED if differing else 0


def _days(span: Period) -> Iterator[Period]:
    for number in range((span.last - span.first).days + 1):
        day = span.first + timedelta(days=number)
        yield Period(day, day, span.tz)


def _described(result: Reconciliation, repaired: Repaired, *, alone: bool) -> Iterator[str]:
    """Yield the lines on a day; none for an equal day, unless it is the only one or was repaired."""
    if result.equal and not alone and repaired == Repaired():
        return
    yield f"{result.about.period.first} {result.about.period.tz}"
    yield f"  rollups    {_figures(result.rollups)}"
    yield f"  ledger     {_figures(result.ledger)}"
    yield f"  documents  {'none, as there is no MongoDB' if result.documents is None else _figures(result.documents)}"
    if result.pending:
        yield f"  {result.pending:,} on their way to the documents"
    if repaired != Repaired():
        yield f"  {repaired.written:,} written, {repaired.restored:,} restored, {repaired.removed:,} removed"
    for difference in result.differences:
        yield f"  {_difference(difference)}"
    more = result.number_of_differences - len(result.differences)
    if more:
        yield f"  and {more:,} differences more"


def _advice(result: Reconciliation) -> Iterator[str]:
    """Yield the commands that repair the differences."""
    if result.number_of_differences:
        yield "`reconcile --repair` makes the documents what the ledger says."
    if not result.rollups_equal:
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
