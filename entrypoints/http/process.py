"""Run the HTTP server in its own process: `entrypoints.http.process:serve`."""

import logging
import os
import socket
from collections.abc import Callable
from threading import Thread

from entrypoints import error_tracking, logs
from entrypoints.bootstrap import Started, load_settings, port_refusal, start, tracing_of
from entrypoints.capacity import BACKLOG
from entrypoints.http.app import create_app
from entrypoints.http.config import HealthCheck, HttpConfig, no_opt_outs
from entrypoints.http.server.asgi import WsgiOnThreads
from entrypoints.http.server.body_rules import OperationBodyRules
from entrypoints.http.server.listener import HttpServer
from entrypoints.http.server.timeouts import ServerTimeouts
from entrypoints.settings import environment

LIVENESS_PATHS = (b"/health/live",)
"""Paths that a server that stops leaves unanswered: the proxy requests them to find a server for a large body."""

COMPONENT = "http"

log = logging.getLogger(__name__)


def serve(
    listening: socket.socket, wait_for_parent: Callable[[], None], timeouts: ServerTimeouts | None = None
) -> None:
    """Serve at a bound socket until SIGTERM or SIGINT, or until the parent process has ended.

    `wait_for_parent` returns when it has. The two signals have to end this process before and after the server runs,
    which has its own handlers, and raises the signal again when it has stopped.
    """
    Thread(target=_exit_with_parent, args=(wait_for_parent,), daemon=True).start()
    settings = load_settings(environment())
    error_tracking.start(settings, COMPONENT)
    logs.describe_records(COMPONENT)
    with tracing_of(settings, COMPONENT) as tracing:
        _serve(start(settings, tracing=tracing), listening, timeouts or ServerTimeouts())


def _serve(started: Started, listening: socket.socket, timeouts: ServerTimeouts) -> None:
    http_config = http_config_of(started)
    app = create_app(started.unite, http_config)
    server = HttpServer(
        WsgiOnThreads(app, OperationBodyRules(app), timeouts=timeouts),
        listening,
        timeouts=timeouts,
        draining=http_config.draining,
        drain_seconds=started.settings.drain_seconds,
        grace_seconds=started.settings.grace_seconds,
        liveness_paths=LIVENESS_PATHS,
    )
    # Not earlier: the kernel would accept connections that nobody serves, and a proxy could not try another server.
    try:
        listening.listen(BACKLOG)
    except OSError as error:
        # Several sockets can be bound to one port as long as none of them listens.
        raise port_refusal(started.settings, error) from error
    address = started.settings.public_url
    log.info("Unite listens.", extra={"address": address, "docs": f"{address}/docs"})
    server.run()


def http_config_of(started: Started) -> HttpConfig:
    """Return the configuration of the HTTP API for a started application."""
    return HttpConfig(
        public_url=started.settings.public_url,
        cursor_secrets=started.cursor_secrets,
        requests_per_minute=started.settings.requests_per_minute,
        signed_files=started.signed_files,
        verify_text_signature=started.webhook_signatures,
        opts_out=started.opt_outs or no_opt_outs,
        trusted_proxies=started.settings.trusted_proxies,
        cors_origins=started.settings.cors_origins,
        tracing=started.tracing,
        checks={name: HealthCheck(it.check, it.required, it.breaker) for name, it in started.dependencies.items()},
    )


def _exit_with_parent(wait_for_parent: Callable[[], None]) -> None:
    """End this process when its parent has ended, even by SIGKILL; otherwise it would block the port."""
    wait_for_parent()
    os._exit(1)
