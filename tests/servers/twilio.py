"""Fake Twilio (infra/stand_ins/twilio.py) as a process that a test may kill and start again."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from tests.conftest import CHECKOUT
from tests.service_process import direct_session, eventually, free_port

ACCOUNT_SID = "AC" + "a1" * 16
AUTH_TOKEN = "a token of nobody's account"
NUMBER = "+15005550006"


@dataclass
class TwilioStandIn:
    """A fake Twilio, which loses its data when it ends.

    `public_url` is the one of the service that gets its callbacks, `callback_base` its address if that differs.
    """

    public_url: str = "http://127.0.0.1:8000"
    callback_base: str = ""
    port: int = field(default_factory=free_port)
    step_seconds: float = 0.05
    auth_token: str = AUTH_TOKEN

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings of a service that uses it."""
        return {
            "UNITE_TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "UNITE_TWILIO_AUTH_TOKEN": self.auth_token,
            "UNITE_TWILIO_FROM": NUMBER,
            "UNITE_TWILIO_BASE_URL": self.url,
        }

    def start(self) -> None:
        """Start or restart it, and wait until it answers."""
        script = CHECKOUT / "infra" / "stand_ins" / "twilio.py"
        options = {
            "port": self.port,
            "account-sid": ACCOUNT_SID,
            "auth-token": self.auth_token,
            "public-url": self.public_url,
            "callback-base": self.callback_base,
            "step-seconds": self.step_seconds,
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        self._process = subprocess.Popen([sys.executable, "-I", str(script), *arguments])
        eventually(self._answers, "the stand-in for Twilio answers")

    def kill(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def behave(self, *behaviours: dict[str, Any]) -> None:
        """Set its behaviour; without arguments the usual one."""
        self._call("PUT", "behaviour", list(behaviours))

    def messages(self) -> list[dict[str, Any]]:
        """Return all messages, oldest first."""
        sent: list[dict[str, Any]] = self._call("GET", "messages")
        return sent

    def bodies(self) -> list[str]:
        """Return the texts of all messages."""
        return [message["body"] for message in self.messages()]

    def messages_by_delivery(self) -> Counter[str]:
        """Return how many messages it has for each delivery, which their callbacks name."""
        queries = (urlsplit(message["status_callback"]).query for message in self.messages())
        return Counter(parse_qs(query)["delivery"][0] for query in queries)

    def callbacks(self) -> list[dict[str, Any]]:
        """Return all its requests to the service."""
        received: list[dict[str, Any]] = self._call("GET", "callbacks")
        return received

    def requests(self) -> dict[str, int]:
        """Return the number of API requests by method."""
        counts: dict[str, int] = self._call("GET", "requests")
        return counts

    def write_to_us(self, sender: str, body: str, **more: str) -> dict[str, Any]:
        """Send an incoming message; return its SID and the status of the service's answer."""
        message: dict[str, Any] = self._call("POST", "inbound", {"from": sender, "body": body, **more})
        return message

    def _answers(self) -> bool:
        with suppress(requests.ConnectionError):
            return isinstance(self.requests(), dict)
        return False

    def _call(self, method: str, what: str, content: object = None) -> Any:
        with direct_session() as session:
            answer = session.request(method, f"{self.url}/stand-in/{what}", json=content, timeout=30)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def a_stand_in(**options: Any) -> Iterator[TwilioStandIn]:
    """Run a fake Twilio during the block."""
    stand_in = TwilioStandIn(**options)
    stand_in.start()
    try:
        yield stand_in
    finally:
        stand_in.kill()
