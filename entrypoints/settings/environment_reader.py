"""Read the variables of settings from an environment, and collect all errors."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, cast

from marshmallow import Schema, ValidationError

from entrypoints.settings.setting import Setting

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


class Values:
    """The values of some settings in an environment, by setting; a refused value is replaced by the default.

    `problems` says for each refused variable what would be right, in the order of the settings. Each value can be in a
    file instead, named by the same variable with the suffix `_FILE`. An empty variable counts as not set; an empty
    `…_FILE` and an empty file are refused.
    """

    def __init__(self, environ: Mapping[str, str], settings: Collection[Setting[Any]]) -> None:
        self._environ = environ
        self._texts: dict[str, str] = {}
        refused: dict[str, list[str]] = {}
        for setting in settings:
            try:
                text = _text(environ, setting.name)
            except _Unreadable as error:
                refused[setting.name] = [str(error)]
            else:
                if text is not None:
                    self._texts[setting.name] = text
        schema = Schema.from_dict({setting.name: setting.field for setting in settings})()
        try:
            self._values: Mapping[str, Any] = schema.load(self._texts)
        except ValidationError as error:
            self._values = cast("Mapping[str, Any]", error.valid_data)
            for name, messages in error.messages_dict.items():
                refused[name] = [f"{name}: {message}" for message in messages]
        self.problems = [problem for setting in settings for problem in refused.get(setting.name, ())]

    def __getitem__(self, setting: Setting[T]) -> T:
        value: T = self._values.get(setting.name, setting.value)
        return value

    def given(self, setting: Setting[Any]) -> bool:
        """Return whether the variable is set, even to a refused value; an empty `…_FILE` counts as set."""
        return bool(self._environ.get(setting.name)) or setting.name + FILE in self._environ

    def text(self, setting: Setting[Any]) -> str | None:
        """Return the text of the variable before it was parsed; None without one."""
        return self._texts.get(setting.name)


def unknown_variable_warnings(environ: Mapping[str, str], prefix: str, known: Iterable[Setting[Any]]) -> list[str]:
    """Return a warning for each variable with the prefix that is not known."""
    names = {spelling for setting in known for spelling in (setting.name, setting.name + FILE)}
    unknown = sorted(name for name in environ if name.startswith(prefix) and name not in names)
    return [_unknown_variable_warning(name, prefix, names) for name in unknown]


def _unknown_variable_warning(name: str, prefix: str, known: Iterable[str]) -> str:
    close = get_close_matches(name.removeprefix(prefix), sorted(it.removeprefix(prefix) for it in known), n=1)
    hint = f"; did you mean {prefix}{close[0]}?" if close else "."
    return f"{name} is set, and nothing reads it{hint}"


class _Unreadable(Exception):
    """A variable has no text that can be read."""


def _text(environ: Mapping[str, str], name: str) -> str | None:
    """Return the value of a variable, or of the file that it names without trailing line ends; None if not set."""
    value, path = environ.get(name), environ.get(name + FILE)
    if value and path:
        raise _Unreadable(f"{name}: is set twice; leave out {name} or {name}{FILE}")
    if path is None:
        return value or None
    if not path:
        raise _Unreadable(f"{name}{FILE}: is empty; name a file, or take the variable out")
    try:
        text = Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise _Unreadable(f"{name}{FILE}: the file cannot be read ({reason})") from None
    if not text.strip():
        raise _Unreadable(f"{name}{FILE}: the file is empty; put the value into it, or take the variable out")
    return text
