"""Five requests a second, every second one a new lead and some with a large body, and a record of failed ones."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from tests.service_process import TIMEOUT, Client, direct_session

SEND_INTERVAL = 0.2
"""Seconds from one request to the next, whether that is answered or not."""

LARGE_BODY = 150_000
"""Bytes of every eighth request: too many for the proxy to hold a copy of them."""

AS_JSON = {"Content-Type": "application/json"}


@dataclass
class Load:
    """Requests that go on until `stop`. Each has a connection of its own, as those of different clients have."""

    client: Client
    reads_only: bool = False
    sent: int = 0
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._clock = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begin to send."""
        self._clock.start()

    def stop(self) -> None:
        """Send no more, and wait for the answers."""
        self._stopped.set()
        for thread in (self._clock, *self._threads):
            thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._stopped.wait(max(0.0, began + self.sent * SEND_INTERVAL - time.monotonic())):
            self.sent += 1
            thread = threading.Thread(target=self._send, args=(self.sent,))
            self._threads.append(thread)
            thread.start()

    def _send(self, number: int) -> None:
        with direct_session() as session:
            session.headers.update({"Authorization": str(self.client.session.headers["Authorization"])})
            url = f"{self.client.url}/v1/leads"
            try:
                if self.reads_only or number % 2:
                    answer = session.get(url, params={"limit": 1}, timeout=TIMEOUT)
                else:
                    lead = json.dumps({"name": "Under load", "email": f"{number}.{time.time_ns()}@example.com"})
                    body = lead.ljust(LARGE_BODY) if number % 8 == 0 else lead
                    answer = session.post(url, data=body, headers=AS_JSON, timeout=TIMEOUT)
            except requests.RequestException as error:
                self.failed.append(f"{number}: {error!r}")
            else:
                if answer.status_code not in (200, 201):
                    self.failed.append(f"{number}: {answer.status_code} {answer.text}")


@contextmanager
def under_load(client: Client, *, reads_only: bool = False) -> Iterator[Load]:
    """Send requests during the block; wait for all responses at its end, and count failures."""
    load = Load(client, reads_only)
    load.start()
    try:
        yield load
    finally:
        load.stop()
