"""The exceptions of an event: their types, stack traces and lines of code, and no data.

The text of an exception may quote what somebody entered, so that a name in it cannot be told from a word. Only texts
that cannot quote data are sent.
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sentry_sdk.utils import single_exception_from_error_tuple

from entrypoints.redaction import redacted
from unite_core.errors import Unavailable

OWN_PACKAGES = ("adapters", "entrypoints", "unite_core")

MAX_CHAIN = 10
"""Exceptions of one event: the one that was raised, and those that caused it."""

MAX_CODE = 99_999
"""The largest number that is taken for an error code; larger ones may be phone numbers."""

_OF_CODE = (
    AttributeError,
    ImportError,
    MemoryError,
    NameError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ZeroDivisionError,
)
"""Exceptions whose texts name types, attributes and modules."""

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_QUOTED = re.compile(r"(['\"]).*\1", re.DOTALL)

_FRAME_FIELDS = ("filename", "function", "module", "lineno", "pre_context", "context_line", "post_context")
_OPTIONS = {"include_local_variables": False, "include_source_context": True, "max_value_length": None}


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception and those that caused it, up to `MAX_CHAIN`."""
    each: BaseException | None = error
    seen: set[int] = set()
    while each is not None and id(each) not in seen and len(seen) < MAX_CHAIN:
        yield each
        seen.add(id(each))
        each = _cause_of(each)


def _cause_of(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    if error.__context__ is not None and not error.__suppress_context__:
        return error.__context__
    return error.exceptions[0] if isinstance(error, BaseExceptionGroup) else None


def exceptions_of(error: BaseException) -> list[dict[str, Any]]:
    """Return the exception and those that caused it as Sentry takes them: the first cause first."""
    return [_described(each) for each in reversed([*chain_of(error)])]


def text_of(error: BaseException) -> str:
    """Return what the exception says of itself without data: a text about code, or codes."""
    if isinstance(error, Unavailable):
        return redacted(error.detail)
    if isinstance(error, sqlite3.Error):
        return redacted(_QUOTED.sub("'…'", str(error)))
    if isinstance(error, _OF_CODE):
        return redacted(str(error))
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return f"[Errno {error.errno}] {os.strerror(error.errno)}"
    return ", ".join(str(code) for code in _codes_of(error))


def _codes_of(error: BaseException) -> Iterator[int | str]:
    """Yield the codes of the exception: of HTTP, of the core, of MySQL, of AWS."""
    code = getattr(error, "code", None)
    first = error.args[0] if error.args else None
    for number in (code, first):
        if isinstance(number, int) and not isinstance(number, bool) and abs(number) <= MAX_CODE:
            yield number
    response = getattr(error, "response", None)
    of_aws = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    for word in (code, of_aws):
        if isinstance(word, str) and _CODE.fullmatch(word):
            yield word


def _described(error: BaseException) -> dict[str, Any]:
    described: dict[str, Any] = single_exception_from_error_tuple(
        type(error),
        error,
        error.__traceback__,
        client_options=_OPTIONS,
        mechanism={"type": "generic", "handled": True},
    )
    described["value"] = text_of(error)
    for frame in (described.get("stacktrace") or {}).get("frames", ()):
        _strip(frame)
    return described


def _strip(frame: dict[str, Any]) -> None:
    """Leave only code in a frame of the stack trace; the name of a home folder may be that of a person."""
    kept = {name: frame[name] for name in _FRAME_FIELDS if frame.get(name) is not None}
    frame.clear()
    frame.update(kept)
    frame["in_app"] = str(kept.get("module", "")).partition(".")[0] in OWN_PACKAGES
    file = Path(kept.get("filename", ""))
    frame["filename"] = file.name if file.is_absolute() else str(file)
