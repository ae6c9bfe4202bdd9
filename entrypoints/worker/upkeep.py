"""Run the upkeep tasks once a minute: poll text message statuses, and delete expired and abandoned data."""

import logging
from collections.abc import Callable, Mapping

from entrypoints.dead_letters import log_dead_letter
from unite_core.application import Upkeep
from unite_core.errors import Unavailable

log = logging.getLogger(__name__)


def keep_up(upkeep: Upkeep, further: Mapping[str, Callable[[], object]], stopping: Callable[[], bool]) -> None:
    """Run each task once, until the worker has to stop. A failure is logged and does not affect the other tasks."""
    every: dict[str, Callable[[], object]] = {
        "text messages asked after": lambda: upkeep.follow_deliveries(should_stop=stopping, on_dead=log_dead_letter),
        "calls of deleted leads cancelled": lambda: upkeep.cancel_calls_of_deleted_leads(should_stop=stopping),
        "idempotency keys deleted": lambda: upkeep.purge_idempotency_keys(should_stop=stopping),
        "counted uses deleted": lambda: upkeep.purge_usage(should_stop=stopping),
        "deliveries forgotten": lambda: upkeep.purge_deliveries(should_stop=stopping),
        "activity forgotten": lambda: upkeep.purge_activity(should_stop=stopping),
        "sessions deleted": upkeep.purge_sessions,
        "abandoned images removed": upkeep.remove_abandoned_images,
        "rows of old imports deleted": lambda: upkeep.purge_imports(should_stop=stopping),
        "abandoned imports cancelled": upkeep.remove_abandoned_imports,
        **further,
    }
    for what, task in every.items():
        if stopping():
            return
        try:
            done = task()
        except Unavailable as error:
            log.warning("Upkeep: %s: something does not answer: %s", what, error.detail)
        except Exception:
            log.exception("Upkeep: %s: something unexpected happened.", what)
        else:
            if done:
                log.info("Upkeep: %s: %s.", what, done)
