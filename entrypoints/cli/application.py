"""Open the application for a command, and convert errors to messages and exit codes."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from entrypoints import error_tracking
from entrypoints.bootstrap import Started, StartRefused, load_settings, start
from entrypoints.settings import Scope, Settings, SettingsRefused
from unite_core.errors import UniteError

FAILED = 1
USAGE = 2


class CommandFailed(Exception):
    """The command failed; the message says why. `code` is the exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def settings_for(environ: Mapping[str, str]) -> Settings:
    """Load the settings, and print their warnings to standard error; raise `CommandFailed`."""
    try:
        settings = load_settings(environ, Scope.DATA)
    except SettingsRefused as error:
        for warning in error.warnings:
            print_error(warning)
        raise CommandFailed(str(error)) from error
    except StartRefused as error:
        raise CommandFailed(str(error)) from error
    error_tracking.start(settings, "command")
    for warning in settings.warnings:
        print_error(warning)
    return settings


@contextmanager
def open_application(environ: Mapping[str, str]) -> Iterator[Started]:
    """Open the application with the data folder of the settings; raise `CommandFailed` if that fails."""
    settings = settings_for(environ)
    try:
        started = start(settings)
    except StartRefused as error:
        raise CommandFailed(str(error)) from error
    with started:
        yield started


@contextmanager
def errors_as_command_failed() -> Iterator[None]:
    """Convert errors of the core to `CommandFailed`, with a line for each field error."""
    try:
        yield
    except UniteError as error:
        lines = [error.detail, *(f"  {problem.field}: {problem.detail}" for problem in error.problems)]
        raise CommandFailed("\n".join(lines)) from error


def print_error(message: str) -> None:
    """Print a message to standard error."""
    print(message, file=sys.stderr)
