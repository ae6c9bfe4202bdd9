"""A client of Sentry that queues events and sends them in its own thread."""

import logging
import os
from typing import Any, cast

from sentry_sdk import Client, HttpTransport

from entrypoints.error_tracking.throttle import Throttle
from entrypoints.settings import Sentry
from unite_core import __version__

RELEASE = f"unite@{__version__}"

SEND_TIMEOUT = 5
"""Seconds for sending one event."""

MAX_QUEUED = 200
"""Events that wait to be sent; further ones are dropped."""

EVENT_FIELDS = frozenset(
    {
        "contexts",
        "environment",
        "event_id",
        "exception",
        "extra",
        "level",
        "logentry",
        "logger",
        "platform",
        "release",
        "sdk",
        "tags",
        "timestamp",
        "transaction",
    }
)
"""The fields of an event that leave this process; the library adds others, such as the name of the machine."""

log = logging.getLogger(__name__)


class _Transport(HttpTransport):
    """The library's transport; it logs that events get lost, once a minute at most."""

    TIMEOUT = SEND_TIMEOUT

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options)
        self._warnings = Throttle(seconds=60)

    def on_dropped_event(self, _reason: str) -> None:
        if self._warnings.passes(_reason):
            log.warning("Errors do not reach Sentry: %s.", _reason)


class SentryClient:
    """A client of one project. It sends in a thread of its own; of events that come too fast some are dropped.

    No integration of the library is used: none of them changes a module, and none adds data to events.
    """

    def __init__(self, project: Sentry) -> None:
        self._project = project
        self._pid = 0
        self._of_this_process()

    def send(self, event: dict[str, Any]) -> None:
        """Send an event soon."""
        self._of_this_process().capture_event(cast("Any", event))

    def flush(self, seconds: float) -> None:
        """Wait until all events are sent, `seconds` at most."""
        self._of_this_process().flush(timeout=seconds)

    def _of_this_process(self) -> Client:
        """Return the client. A fork gets a new one: the thread of the other is not in it, and its locks may be held."""
        if self._pid != os.getpid():
            self._client = self._new()
            self._pid = os.getpid()
        return self._client

    def _new(self) -> Client:
        return Client(
            dsn=self._project.dsn,
            environment=self._project.environment,
            release=RELEASE,
            sample_rate=self._project.sample_rate,
            transport=_Transport,
            transport_queue_size=MAX_QUEUED,
            before_send=_only_known_fields,
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            enable_backpressure_handling=False,
            include_local_variables=False,
            max_breadcrumbs=0,
            max_request_body_size="never",
            # Otherwise variables of the environment would decide.
            debug=False,
            spotlight=False,
        )


def _only_known_fields(event: Any, _hint: Any) -> Any:
    return {name: value for name, value in event.items() if name in EVENT_FIELDS}
