"""Telling others what has happened, and looking after what is on its way to them."""

from unite_core.notifications.use_cases.deliveries import (
    CountDeadLetters,
    GetDeliveryActivity,
    ListDeliveries,
    PurgeActivity,
    PurgeDeliveries,
    ReplayDelivery,
)
from unite_core.notifications.use_cases.relay import Relayed, RelayEvents

__all__ = [
    "CountDeadLetters",
    "GetDeliveryActivity",
    "ListDeliveries",
    "PurgeActivity",
    "PurgeDeliveries",
    "RelayEvents",
    "Relayed",
    "ReplayDelivery",
]
