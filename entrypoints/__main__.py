"""`python -m entrypoints COMMAND …`: finds the door that a command goes through."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from entrypoints.cli.commands import parser
from entrypoints.settings import environment

COMMAND_MODULES = {
    "serve": "entrypoints.cli.serve",
    "work": "entrypoints.worker.process",
    "migrate": "entrypoints.cli.migrate",
    "backup": "entrypoints.cli.backup",
    "restore": "entrypoints.cli.restore",
    "users": "entrypoints.cli.users",
    "import": "entrypoints.cli.import_file",
    "verify-ledger": "entrypoints.cli.verify_ledger",
    "rebuild-reports": "entrypoints.cli.rebuild_reports",
    "reconcile": "entrypoints.cli.reconcile",
    "demo": "entrypoints.cli.demo",
}
"""Which module's `run(arguments, environ)` carries a command out. Only that one is loaded: a worker needs no server."""


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command; the exit code."""
    # What the service writes, whichever library does it, is for its owner alone.
    os.umask(0o077)
    arguments = parser().parse_args(argv)
    try:
        code: int = import_module(COMMAND_MODULES[arguments.command]).run(arguments, environment())
    except KeyboardInterrupt:
        return 130  # what shells say of a process that Ctrl-C ended
    except BrokenPipeError:
        # Whoever read our output has seen enough; what is left to write would only fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return code


if __name__ == "__main__":
    sys.exit(main())
