"""`verify-ledger`: whether every entry of the call ledger still says what it said when it was written."""

from argparse import Namespace
from collections.abc import Mapping

from entrypoints.bootstrap import StartRefused, ledger_as_it_is
from entrypoints.cli.opened import FAILED, Refused, settings_for, tell, told
from entrypoints.cli.shown import Tally, console
from unite_core.calls.ledger import BrokenChain
from unite_core.calls.use_cases.verification import Verified


def run(_arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Carry the command out; the exit code: 0 where every chain is whole, else 1. Nothing is written."""
    try:
        with told():
            found = _verified(environ)
    except Refused as refused:
        tell(str(refused))
        return refused.code
    if found.broken is None:
        print(f"{counted(found)}: every chain is whole.")
        return 0
    print(f"{counted(found)} were verified.\n{_described(found.broken)}")
    return FAILED


def counted(found: Verified) -> str:
    """How much has been verified: `1,234 entries of 1,200 call tasks`."""
    entries = "entry" if found.entries == 1 else "entries"
    tasks = "call task" if found.tasks == 1 else "call tasks"
    return f"{found.entries:,} {entries} of {found.tasks:,} {tasks}"


def _verified(environ: Mapping[str, str]) -> Verified:
    settings = settings_for(environ)
    try:
        with ledger_as_it_is(settings) as verify, Tally(console()) as tally:
            return verify(lambda so_far: tally.show(counted(so_far)))
    except StartRefused as refused:
        raise Refused(str(refused)) from refused


def _described(broken: BrokenChain) -> str:
    task = "a call task without an id" if broken.task_id is None else f"call task {broken.task_id}"
    entry = "which is missing, or has no id" if broken.entry_id is None else str(broken.entry_id)
    return f"The chain of {task} is broken at entry {broken.number}, {entry}.\n{broken.reason}"
