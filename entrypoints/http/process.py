"""The HTTP door as a process of its own: `entrypoints.http.process:serve`."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
from multiprocessing.process import BaseProcess
from threading import Thread

from entrypoints.bootstrap import Started, load_settings, port_refusal, start
from entrypoints.capacity import BACKLOG
from entrypoints.correlation import CorrelationFilter
from entrypoints.http.app import create_app
from entrypoints.http.asgi import WsgiOnThreads
from entrypoints.http.body_rules import OperationBodyRules
from entrypoints.http.config import HealthCheck, HttpConfig
from entrypoints.http.server import HttpServer
from entrypoints.http.timeouts import Timeouts
from entrypoints.settings import environment

log = logging.getLogger(__name__)


def serve(listening: socket.socket, timeouts: Timeouts | None = None) -> None:
    """Serve at a socket that is bound, until SIGTERM or SIGINT, or the process that started this one is gone."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server has handlers of its own while it serves, and raises the signal again when it has stopped.
        signal.signal(number, lambda *_: sys.exit())
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent,), daemon=True).start()
    for handler in logging.getLogger().handlers:
        handler.addFilter(CorrelationFilter())
    started = start(load_settings(environment()))
    http_config = http_config_of(started)
    app = create_app(started.unite, http_config)
    timeouts = timeouts or Timeouts()
    server = HttpServer(
        WsgiOnThreads(app, OperationBodyRules(app), timeouts=timeouts),
        listening,
        timeouts=timeouts,
        draining=http_config.draining,
        drain_seconds=started.settings.drain_seconds,
        grace_seconds=started.settings.grace_seconds,
    )
    # Not before: a connection that was taken by the system alone would wait, and a proxy could not turn to another one.
    try:
        listening.listen(BACKLOG)
    except OSError as error:
        # Several can be bound to one port as long as none of them listens there.
        raise port_refusal(started.settings, error) from error
    address = started.settings.public_url
    log.info("Unite listens.", extra={"address": address, "docs": f"{address}/docs"})
    server.run()


def http_config_of(started: Started) -> HttpConfig:
    """What the door is told about an installation."""
    return HttpConfig(
        public_url=started.settings.public_url,
        cursor_secrets=started.cursor_secrets,
        requests_per_minute=started.settings.requests_per_minute,
        signed_files=started.signed_files,
        verify_text_signature=started.webhook_signatures,
        trusted_proxies=started.settings.trusted_proxies,
        cors_origins=started.settings.cors_origins,
        checks={name: HealthCheck(it.ask, it.required, it.breaker) for name, it in started.dependencies.items()},
    )


def _end_with(parent: BaseProcess) -> None:
    """End this process when its parent is gone, even by SIGKILL: or it would hold the port against the next one."""
    parent.join()
    os._exit(1)
