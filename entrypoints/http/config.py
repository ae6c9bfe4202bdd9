"""Configuration of the HTTP application: URL, secrets, limits, health checks and origins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

from entrypoints.capacity import MAX_EVENT_STREAMS
from entrypoints.networks import Network
from entrypoints.tracing import RequestTracing
from unite_core.files import SignedFiles


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """The health check of one dependency: `run` raises `Unavailable` if the dependency does not respond.

    Without a required dependency the service is not ready; without any other it is degraded. `breaker` returns the
    state of the circuit breaker, `closed`, `open` or `half_open`; it is None for a dependency without a breaker.
    """

    run: Callable[[], None]
    required: bool = True
    breaker: Callable[[], str] | None = None


class TextSignatureVerifier(Protocol):
    """Verification of the webhook requests of the text message provider."""

    def __call__(self, url: str, parameters: Mapping[str, str], signature: str, /) -> bool:
        """Return whether the provider made the signature, for the URL as it called it and these form parameters."""


class OptOutReader(Protocol):
    """The words by which recipients of text messages opt out, and in again."""

    def __call__(self, body: str, opt_out_type: str | None, /) -> bool | None:
        """Return whether a message says that its sender wants no more, or wants them again; None if it says neither.

        `opt_out_type` is what the provider made of it, None if it says nothing.
        """


def no_opt_outs(_body: str, _opt_out_type: str | None, /) -> None:
    """Take no message for an opt-out or an opt-in: without a provider nobody answers."""


@dataclass(frozen=True, kw_only=True)
class HttpConfig:
    """The configuration of the HTTP application, beside the use cases.

    `public_url` is the start of links to the service, without a slash at the end. The first of the `cursor_secrets`
    (32 random bytes each) signs page cursors and the fingerprints of requests that hold a password; all of them verify.
    `requests_per_minute` 0 means no limit. `signed_files` is set where the service itself is the storage, and
    `verify_text_signature` and `opts_out` where text messages are sent. At most `max_event_streams` clients per process
    may follow imports at once. `trusted_proxies` may name the client of a request. Pages of `cors_origins` may use the
    API from a browser. Requests run in spans of `tracing`, if there is one. `draining` is set when the process is about
    to stop: it is not ready any more, and still serves.
    """

    public_url: str
    cursor_secrets: tuple[bytes, ...]
    requests_per_minute: int = 1200
    signed_files: SignedFiles | None = None
    verify_text_signature: TextSignatureVerifier | None = None
    opts_out: OptOutReader = no_opt_outs
    checks: Mapping[str, HealthCheck] = field(default_factory=dict)
    max_event_streams: int = MAX_EVENT_STREAMS
    trusted_proxies: tuple[Network, ...] = ()
    cors_origins: tuple[str, ...] = ()
    tracing: RequestTracing | None = None
    draining: Event = field(default_factory=Event)
