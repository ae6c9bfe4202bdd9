"""Run the upkeep tasks once a minute: poll text message statuses, and delete expired and abandoned data."""

import logging
from collections.abc import Callable, Mapping
from functools import partial

from entrypoints import error_tracking
from entrypoints.dead_letters import log_dead_letter
from unite_core.application import Upkeep
from unite_core.errors import Unavailable

log = logging.getLogger(__name__)


def keep_up(upkeep: Upkeep, further: Mapping[str, Callable[[], object]], stopping: Callable[[], bool]) -> None:
    """Run each task once, until the worker has to stop. A failure is logged and does not affect the other tasks."""
    tasks = upkeep.tasks(log_dead_letter)
    every: dict[str, Callable[[], object]] = {
        **{what: partial(task, stopping) for what, task in tasks.items()},
        **further,
    }
    for what, task in every.items():
        if stopping():
            return
        try:
            with error_tracking.retried("upkeep", what):
                done = task()
        except Unavailable as error:
            log.warning("Upkeep: %s: something does not answer: %s", what, error.detail)
        except Exception:
            log.exception("Upkeep: %s: something unexpected happened.", what, extra={"retried": True})
        else:
            if done:
                log.info("Upkeep: %s: %s.", what, done)
