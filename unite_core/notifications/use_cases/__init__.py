"""Telling others what has happened, and looking after what is on its way to them."""

from unite_core.notifications.use_cases.deliveries import (
    CountDeadLetters,
    GetDelivery,
    GetDeliveryActivity,
    ListDeliveries,
    PurgeActivity,
    PurgeDeliveries,
    ReplayDelivery,
)
from unite_core.notifications.use_cases.following import FollowTexts
from unite_core.notifications.use_cases.relay import Relayed, RelayEvents

__all__ = [
    "CountDeadLetters",
    "FollowTexts",
    "GetDelivery",
    "GetDeliveryActivity",
    "ListDeliveries",
    "PurgeActivity",
    "PurgeDeliveries",
    "RelayEvents",
    "Relayed",
    "ReplayDelivery",
]
