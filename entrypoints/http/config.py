"""What the HTTP door is told about the installation that it stands in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from entrypoints.capacity import EVENT_STREAMS
from entrypoints.networks import Network
from unite_core.files import SignedFiles


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How to ask one dependency whether it is there: `run` raises `Unavailable` where it is not.

    Without a required one the service is not ready; without any other it is degraded. `breaker` tells whether it is
    being left alone: `closed`, `open` or `half_open`; None where nothing watches over that.
    """

    run: Callable[[], None]
    required: bool = True
    breaker: Callable[[], str] | None = None


class TextSignatureVerifier(Protocol):
    """Knows the requests of whoever carries text messages."""

    def __call__(self, url: str, parameters: Mapping[str, str], signature: str, /) -> bool:
        """Whether the signature is theirs, for this URL as they wrote it and these parameters of their form."""


@dataclass(frozen=True, kw_only=True)
class HttpConfig:
    """What the door needs beside the use cases.

    `public_url` is what links to the service start with, without a slash at the end. Of `cursor_secrets`
    (32 random bytes each) the first signs page cursors and the fingerprints of requests that hold a password, and all
    of them verify. With `requests_per_minute` 0 nothing is limited. `signed_files` is there where the service itself is
    the storage, and `verify_text_signature` where text messages are sent. `max_event_streams` is how many clients may
    follow an import at once, per process.
    `trusted_proxies` are believed in who a request is from; pages of `cors_origins` may use the API from a browser.
    """

    public_url: str
    cursor_secrets: tuple[bytes, ...]
    requests_per_minute: int = 1200
    signed_files: SignedFiles | None = None
    verify_text_signature: TextSignatureVerifier | None = None
    checks: Mapping[str, HealthCheck] = field(default_factory=dict)
    max_event_streams: int = EVENT_STREAMS
    trusted_proxies: tuple[Network, ...] = ()
    cors_origins: tuple[str, ...] = ()
