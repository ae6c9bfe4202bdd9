"""The entry point of `python -m entrypoints COMMAND …`: load the command's module and run it."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from entrypoints import error_tracking
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
"""The modules whose `run(arguments, environ)` runs a command. Only one is loaded, as a worker needs no server."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code."""
    # All files that the service and its libraries create are readable only by the owner.
    os.umask(0o077)
    arguments = parser().parse_args(argv)
    try:
        code: int = import_module(COMMAND_MODULES[arguments.command]).run(arguments, environment())
    except KeyboardInterrupt:
        return 130  # the exit code that shells report after Ctrl-C
    except BrokenPipeError:
        # The reader of the output has closed the pipe; writing the rest would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        error_tracking.capture_unlogged(error)
        raise
    finally:
        error_tracking.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
