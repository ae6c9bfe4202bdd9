"""Read and check environment variables, and report all errors together."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

FILE = "_FILE"
"""The suffix of a variable that names a file with the value."""


class SettingsRefused(Exception):
    """Some settings are missing or malformed; `problems` says for each what would be right. No value is quoted.

    `warnings` are sentences about other settings, which may be the cause.
    """

    def __init__(self, problems: Iterable[str], warnings: Iterable[str] = ()) -> None:
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)
        super().__init__("\n".join(self.problems))


class Reader:
    """A reader of environment variables that collects all errors.

    A method that refuses a value returns the default, so that the other variables are checked as well; `finish` raises.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []
        self._warnings: list[str] = []
        self._read: dict[str, str | None] = {}

    def text(self, name: str) -> str | None:
        """Return the value without trailing line ends, or None."""
        if name not in self._read:
            self._read[name] = self._load(name)
        return self._read[name]

    def given(self, name: str) -> bool:
        """Return whether the variable is set; an empty `…_FILE` counts as set, and is refused."""
        return bool(self._environ.get(name)) or name + FILE in self._environ

    def number(self, name: str, *, default: int, minimum: int, maximum: int) -> int:
        """Return a whole number from `minimum` to `maximum`."""

        def judge(text: str) -> int:
            if not (text.isascii() and text.isdigit() and len(text) < 10 and minimum <= int(text) <= maximum):
                raise ValueError(f"is not a whole number from {minimum} to {maximum}")
            return int(text)

        number = self.judged(name, judge)
        return default if number is None else number

    def judged(self, name: str, judge: Callable[[str], T]) -> T | None:
        """Return `judge(value)`; if that raises `ValueError`, refuse the variable with its message."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return judge(text)
        except ValueError as error:
            self.refuse(name, str(error))
            return None

    def refuse(self, name: str, why: str) -> None:
        """Add an error for a variable."""
        self._problems.append(f"{name}: {why}")

    def warn(self, sentence: str) -> None:
        """Add a warning about a setting that is probably a mistake."""
        self._warnings.append(sentence)

    def warn_of_unknown(self, prefix: str, known: Iterable[str]) -> None:
        """Warn about each variable with the prefix that is not known."""
        names = {spelling for name in known for spelling in (name, name + FILE)}
        for name in sorted(name for name in self._environ if name.startswith(prefix) and name not in names):
            self.warn(_unknown_variable_warning(name, prefix, names))

    def finish(self) -> tuple[str, ...]:
        """Return the warnings; raise `SettingsRefused` if a variable was refused."""
        if self._problems:
            raise SettingsRefused(self._problems, self._warnings)
        return tuple(self._warnings)

    def _load(self, name: str) -> str | None:
        value, path = self._environ.get(name), self._environ.get(name + FILE)
        if value and path:
            self.refuse(name, f"is set twice; leave out {name} or {name}{FILE}")
            return None
        if path is None:
            return value or None
        if not path:
            self.refuse(name + FILE, "is empty; name a file, or take the variable out")
            return None
        try:
            text = Path(path).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            self.refuse(name + FILE, f"the file cannot be read ({reason})")
            return None
        if not text.strip():
            self.refuse(name + FILE, "the file is empty; put the value into it, or take the variable out")
            return None
        return text


def _unknown_variable_warning(name: str, prefix: str, known: Iterable[str]) -> str:
    close = get_close_matches(name.removeprefix(prefix), sorted(it.removeprefix(prefix) for it in known), n=1)
    hint = f"; did you mean {prefix}{close[0]}?" if close else "."
    return f"{name} is set, and nothing reads it{hint}"
