"""The `verify-ledger` command: verify the hash chains of the call ledger."""

from argparse import Namespace
from collections.abc import Mapping

from entrypoints.bootstrap import StartRefused, open_ledger_read_only
from entrypoints.cli.application import FAILED, CommandFailed, errors_as_command_failed, print_error, settings_for
from entrypoints.cli.progress import CounterProgress, console
from unite_core.calls.ledger import ChainFault
from unite_core.calls.use_cases.verification import VerificationResult


def run(_arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return the exit code: 0 if every chain is intact, else 1. Nothing is written."""
    try:
        with errors_as_command_failed():
            result = _verified(environ)
    except CommandFailed as error:
        print_error(str(error))
        return error.code
    if result.broken is None:
        print(f"{describe_progress(result)}: every chain is whole.")
        return 0
    print(f"{describe_progress(result)} were verified.\n{_described(result.broken)}")
    return FAILED


def describe_progress(verified: VerificationResult) -> str:
    """Return the progress in words: `1,234 entries of 1,200 call tasks`."""
    entries = "entry" if verified.entries == 1 else "entries"
    tasks = "call task" if verified.tasks == 1 else "call tasks"
    return f"{verified.entries:,} {entries} of {verified.tasks:,} {tasks}"


def _verified(environ: Mapping[str, str]) -> VerificationResult:
    settings = settings_for(environ)
    try:
        with open_ledger_read_only(settings) as verify, CounterProgress(console()) as tally:
            return verify(lambda so_far: tally.show(describe_progress(so_far)))
    except StartRefused as error:
        raise CommandFailed(str(error)) from error


def _described(broken: ChainFault) -> str:
    task = "a call task without an id" if broken.task_id is None else f"call task {broken.task_id}"
    entry = "which is missing, or has no id" if broken.entry_id is None else str(broken.entry_id)
    return f"The chain of {task} is broken at entry {broken.number}, {entry}.\n{broken.reason}"
