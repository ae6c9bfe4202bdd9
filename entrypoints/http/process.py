"""The HTTP door as the server starts it: `entrypoints.http.process:application`, a factory."""

import logging
import multiprocessing
import os
from multiprocessing.process import BaseProcess
from threading import Thread

from entrypoints.bootstrap import Started, load_settings, start
from entrypoints.correlation import CorrelationFilter
from entrypoints.http.app import create_app
from entrypoints.http.asgi import OnThreads
from entrypoints.http.body_rules import OperationBodyRules
from entrypoints.http.door import Check, Door
from entrypoints.http.patience import Patience
from entrypoints.http.sockets import give_up_unread
from entrypoints.settings import environment

log = logging.getLogger(__name__)


def application(patience: Patience | None = None) -> OnThreads:
    """The application for one process of the server, which lives no longer than the process that started it."""
    server = multiprocessing.parent_process()
    if server is not None:
        Thread(target=_end_with, args=(server,), daemon=True).start()
    for handler in logging.getLogger().handlers:
        handler.addFilter(CorrelationFilter())
    started = start(load_settings(environment()))
    app = create_app(started.unite, door_of(started))
    patience = patience or Patience()
    # The server listens later than this.
    Thread(target=give_up_unread, args=(started.settings.port, patience.pause), daemon=True).start()
    address = started.settings.public_url
    log.info("Unite listens.", extra={"address": address, "docs": f"{address}/docs"})
    return OnThreads(app, OperationBodyRules(app), patience=patience)


def door_of(started: Started) -> Door:
    """What the door is told about an installation."""
    return Door(
        public_url=started.settings.public_url,
        cursor_secrets=started.cursor_secrets,
        requests_per_minute=started.settings.requests_per_minute,
        signed_files=started.signed_files,
        text_signatures=started.webhook_signatures,
        trusted_proxies=started.settings.trusted_proxies,
        cors_origins=started.settings.cors_origins,
        checks={name: Check(it.ask, it.required, it.breaker) for name, it in started.dependencies.items()},
    )


def _end_with(server: BaseProcess) -> None:
    """End this process when the server is gone, even by SIGKILL: or it would hold the port against the next one."""
    server.join()
    os._exit(1)
