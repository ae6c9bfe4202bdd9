"""Use cases of notifications: deliver events, manage deliveries, record reports on text messages."""

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
from unite_core.notifications.use_cases.status_checks import CheckDeliveryStatuses

__all__ = [
    "CheckDeliveryStatuses",
    "CountDeadLetters",
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
