"""`verify-ledger`: whether every entry of the call ledger still says what it said when it was written."""

from argparse import Namespace
from collections.abc import Mapping

from entrypoints.bootstrap import StartRefused, open_ledger_read_only
from entrypoints.cli.application import FAILED, CommandFailed, errors_as_command_failed, print_error, settings_for
from entrypoints.cli.progress import CounterProgress, console
from unite_core.calls.ledger import ChainFault
from unite_core.calls.use_cases.verification import VerificationResult


def run(_arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Carry the command out; the exit code: 0 where every chain is whole, else 1. Nothing is written."""
    try:
        with errors_as_command_failed():
            found = _verified(environ)
    except CommandFailed as refused:
        print_error(str(refused))
        return refused.code
    if found.broken is None:
        print(f"{describe_progress(found)}: every chain is whole.")
        return 0
    print(f"{describe_progress(found)} were verified.\n{_described(found.broken)}")
    return FAILED


def describe_progress(found: VerificationResult) -> str:
    """How much has been verified: `1,234 entries of 1,200 call tasks`."""
    entries = "entry" if found.entries == 1 else "entries"
    tasks = "call task" if found.tasks == 1 else "call tasks"
    return f"{found.entries:,} {entries} of {found.tasks:,} {tasks}"


def _verified(environ: Mapping[str, str]) -> VerificationResult:
    settings = settings_for(environ)
    try:
        with open_ledger_read_only(settings) as verify, CounterProgress(console()) as tally:
            return verify(lambda so_far: tally.show(describe_progress(so_far)))
    except StartRefused as refused:
        raise CommandFailed(str(refused)) from refused


def _described(broken: ChainFault) -> str:
    task = "a call task without an id" if broken.task_id is None else f"call task {broken.task_id}"
    entry = "which is missing, or has no id" if broken.entry_id is None else str(broken.entry_id)
    return f"The chain of {task} is broken at entry {broken.number}, {entry}.\n{broken.reason}"
