"""Log a dead letter: an event whose delivery to a destination is given up until somebody replays it."""

import logging

from unite_core.notifications.model import Delivery

log = logging.getLogger("unite.dead_letters")


def log_dead_letter(dead: Delivery) -> None:
    """Log that an event does not reach its destination unless it is replayed. No phone number is logged."""
    response = dead.response
    log.error(
        "An event is given up: it does not reach its destination (%s).",
        dead.destination,
        extra={
            "delivery_id": str(dead.id),
            "destination": dead.destination,
            "event_id": str(dead.event_id),
            "correlation_id": dead.correlation_id,
            "code": response.get("error_code") or response.get("error") or response.get("status"),
        },
    )
