"""Run the upkeep tasks once a minute: poll text message statuses, and delete expired and abandoned data."""

import logging
from collections.abc import Callable

from entrypoints import error_tracking
from entrypoints.dead_letters import log_dead_letter
from unite_core.application import Upkeep
from unite_core.errors import Unavailable

log = logging.getLogger(__name__)


def keep_up(upkeep: Upkeep, stopping: Callable[[], bool]) -> None:
    """Run each task once, until the worker has to stop. A failure is logged and does not affect the other tasks."""
    for what, task in upkeep.tasks(log_dead_letter).items():
        if stopping():
            return
        try:
            with error_tracking.retried("upkeep", what):
                done = task(stopping)
        except Unavailable as error:
            log.warning("Upkeep: %s: something does not answer: %s", what, error.detail)
        except Exception:
            log.exception("Upkeep: %s: something unexpected happened.", what, extra={"retried": True})
        else:
            if done:
                log.info("Upkeep: %s: %s.", what, done)
