"""Unite for one command: opened, and what goes wrong told in a sentence."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from entrypoints.bootstrap import Started, StartRefused, load_settings, start
from entrypoints.environment import SettingsRefused
from entrypoints.production import Scope
from entrypoints.settings import Settings
from unite_core.errors import UniteError

FAILED = 1
USAGE = 2


class CommandFailed(Exception):
    """The command cannot be carried out; the message says why. `code` is the exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def settings_for(environ: Mapping[str, str]) -> Settings:
    """The settings, with their warnings on standard error; raises `CommandFailed`."""
    try:
        settings = load_settings(environ, Scope.DATA)
    except SettingsRefused as refused:
        for warning in refused.warnings:
            print_error(warning)
        raise CommandFailed(str(refused)) from refused
    except StartRefused as refused:
        raise CommandFailed(str(refused)) from refused
    for warning in settings.warnings:
        print_error(warning)
    return settings


@contextmanager
def open_application(environ: Mapping[str, str]) -> Iterator[Started]:
    """Unite over the data folder that the settings name; raises `CommandFailed` where it cannot be opened."""
    settings = settings_for(environ)
    try:
        started = start(settings)
    except StartRefused as refused:
        raise CommandFailed(str(refused)) from refused
    with started:
        yield started


@contextmanager
def errors_as_command_failed() -> Iterator[None]:
    """Turn errors of the domain into `CommandFailed`, with a line for each field at fault."""
    try:
        yield
    except UniteError as error:
        lines = [error.detail, *(f"  {problem.field}: {problem.detail}" for problem in error.problems)]
        raise CommandFailed("\n".join(lines)) from error


def print_error(message: str) -> None:
    """Say something beside the output."""
    print(message, file=sys.stderr)
