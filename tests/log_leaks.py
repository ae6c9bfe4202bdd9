"""A detector of secrets and personal data in log lines, which reads all log lines of the tests.

Lines of the test processes are checked as they are written, those of services, workers, commands and containers when
they end.
"""

import logging
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from entrypoints.logs import JsonLinesFormatter

PASSWORDS = ("correct horse battery", "staple battery horse")
"""The passwords of all users of the tests."""

NAMES = ("Grace Hopper", "Ada Lovelace", "Katherine Johnson", "Dorothy Vaughan", "Mary Jackson", "Margaret Hamilton")
"""Names of people that tests use most."""

_PATTERNS = {
    "a password": re.compile("|".join(PASSWORDS)),
    "a phone number": re.compile(r"\+[1-9]\d{7,14}(?!\d)"),
    "a token": re.compile(r"\beyJ[\w-]{10,}"),
    "the hash of a password": re.compile(r"\$argon2"),
    "a name": re.compile("|".join(NAMES)),
}

_FORMATTER = JsonLinesFormatter()


def leaks_in(lines: Iterable[str]) -> list[str]:
    """Return what the lines have and should not, each with its line."""
    return [f"{what}: {line}" for line in lines for what, pattern in _PATTERNS.items() if pattern.search(line)]


def check_lines(text: str, secrets: Iterable[str] = ()) -> None:
    """Fail if the lines of a log have something that no line may have, or one of the secrets."""
    leaks = [*leaks_in(text.splitlines()), *(f"a secret: {secret}" for secret in secrets if secret in text)]
    assert not leaks, leaks[0]


def check_log(path: Path) -> None:
    """Fail if the log of a process has something that no line may have."""
    if path.exists():
        check_lines(path.read_text("utf-8", errors="replace"))


class Detector:
    """Reads each record that a logger of this process handles, as it would be written."""

    def __init__(self) -> None:
        self._leaks: list[str] = []

    def install(self) -> None:
        """Read all records from now on."""
        handle: Callable[[logging.Logger, logging.LogRecord], None] = logging.Logger.callHandlers

        def read_and_handle(logger: logging.Logger, record: logging.LogRecord) -> None:
            self.read(record)
            handle(logger, record)

        setattr(logging.Logger, "callHandlers", read_and_handle)  # noqa: B010 - mypy refuses to assign a method

    def read(self, record: logging.LogRecord) -> None:
        """Look for what no line may have."""
        self._leaks += leaks_in([_FORMATTER.format(record)])

    def taken(self) -> list[str]:
        """Return what was found since the last call."""
        leaks, self._leaks = self._leaks, []
        return leaks
