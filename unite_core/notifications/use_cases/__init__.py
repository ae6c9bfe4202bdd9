"""Use cases that deliver events to destinations, and that record reports on the deliveries."""

from unite_core.notifications.use_cases.deliveries import (
    CountDeadLetters,
    GetDelivery,
    GetDeliveryActivity,
    ListDeliveries,
    PurgeActivity,
    PurgeDeliveries,
    ReplayDelivery,
)
from unite_core.notifications.use_cases.relay import Relayed, RelayEvents
from unite_core.notifications.use_cases.reporting import NewConsent, RecordConsent, RecordTextReport, TextReport
from unite_core.notifications.use_cases.status_checks import FollowDeliveries

__all__ = [
    "CountDeadLetters",
    "FollowDeliveries",
    "GetDelivery",
    "GetDeliveryActivity",
    "ListDeliveries",
    "NewConsent",
    "PurgeActivity",
    "PurgeDeliveries",
    "RecordConsent",
    "RecordTextReport",
    "RelayEvents",
    "Relayed",
    "ReplayDelivery",
    "TextReport",
]
