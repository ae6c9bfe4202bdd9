"""Send unexpected errors to Sentry, if the settings name a project: `start` once in a process, `flush` at its end.

Errors are taken from the log: each line of level `error` and above is an event. Without a project nothing is loaded,
and every function here does nothing.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from entrypoints.settings import Settings
from unite_core.errors import Unavailable

# Imported by `start`: most installations have no Sentry, and are not to wait until its library is loaded.
if TYPE_CHECKING:
    from entrypoints.error_tracking.tracker import ErrorTracker

FLUSH_SECONDS = 2.0
"""The longest time that a process waits at its end for events to be sent."""


def start(settings: Settings, component: str) -> None:
    """Send the errors of this process to Sentry from now on, as those of the component, if the settings name a project.

    Called again, also in a fork, it replaces what it did before.
    """
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if hasattr(handler, "tracker"):
            root.removeHandler(handler)
    if settings.sentry is None:
        return
    from entrypoints.error_tracking.client import SentryClient  # noqa: PLC0415 - see above
    from entrypoints.error_tracking.handler import ErrorHandler  # noqa: PLC0415 - see above
    from entrypoints.error_tracking.tracker import ErrorTracker  # noqa: PLC0415 - see above

    root.addHandler(ErrorHandler(ErrorTracker(SentryClient(settings.sentry), component)))


def capture_unlogged(error: Exception) -> None:
    """Send an error that ends the process, and is not in the log."""
    tracker = _tracker()
    if tracker is not None:
        tracker.capture_unlogged(error)


def capture_outage(error: Unavailable) -> None:
    """Send that a dependency did not answer: one event a minute for each dependency, and none for a full queue."""
    tracker = _tracker()
    if tracker is not None:
        tracker.capture_outage(error)


@contextmanager
def retried(*subject: str) -> Iterator[None]:
    """Send the error of the block only if retries do not overcome it.

    `subject` says what the block works on, with ids and names of code alone. A block that fails is run again later with
    the same subject, and its error is logged with the attribute `retried`.
    """
    tracker = _tracker()
    if tracker is None:
        yield
    else:
        with tracker.retries.attempt(subject):
            yield


def flush_seconds(settings: Settings) -> float:
    """Return the longest time that `flush` takes with these settings."""
    return 0.0 if settings.sentry is None else FLUSH_SECONDS


def flush() -> None:
    """Send all that is not sent yet; called at the end of a process. It takes `FLUSH_SECONDS` at most."""
    tracker = _tracker()
    if tracker is not None:
        tracker.flush(FLUSH_SECONDS)


def _tracker() -> "ErrorTracker | None":
    trackers = (getattr(handler, "tracker", None) for handler in logging.getLogger().handlers)
    return next((tracker for tracker in trackers if tracker is not None), None)
