"""The `rebuild-reports` command: recount the rollups of all reports from the call ledger."""

from argparse import Namespace
from collections.abc import Mapping

from entrypoints.cli.application import CommandFailed, errors_as_command_failed, open_application, print_error
from entrypoints.cli.progress import CounterProgress, console
from unite_core.reports.use_cases import Rebuilt


def run(_arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return the exit code; the service may run."""
    try:
        with errors_as_command_failed(), open_application(environ) as started, CounterProgress(console()) as tally:
            rebuilt = started.unite.reports.rebuild(lambda so_far: tally.show(describe_progress(so_far)))
            folded = started.unite.reports.fold()
            has_documents = started.unite.reports.repair.documents is not None
    except CommandFailed as error:
        print_error(str(error))
        return error.code
    entries = "1 entry was" if folded == 1 else f"{folded:,} entries were"
    print(f"{describe_progress(rebuilt)}; {entries} folded after that.")
    if has_documents:
        print("The documents of calls in MongoDB are as they were: `reconcile` compares them with the ledger.")
    return 0


def describe_progress(rebuilt: Rebuilt) -> str:
    """Return the progress in words: `1,234 calls of 12 of 400 days are counted anew`."""
    calls = "call" if rebuilt.calls == 1 else "calls"
    return f"{rebuilt.calls:,} {calls} of {rebuilt.days:,} of {rebuilt.of_days:,} days are counted anew"
