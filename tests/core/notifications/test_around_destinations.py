"""Destinations that a program puts others around, such as to trace deliveries."""

from unite_core.application import build
from unite_core.notifications.model import ACTIVITY, TEXTS, TOPIC
from unite_core.notifications.ports import Destination
from unite_core.testing.in_memory import InMemoryActivityLog, in_memory_ports


def test_events_are_delivered_to_what_is_put_around_each_destination() -> None:
    seen: list[str] = []
    other = InMemoryActivityLog()

    def around(destination: Destination) -> Destination:
        seen.append(destination.subscription.name)
        return other if destination.subscription.name == ACTIVITY else destination

    ports = in_memory_ports(around_destination=around)
    unite = build(ports)

    assert seen == [ACTIVITY, TOPIC, TEXTS]
    assert unite.notifications.relay.destinations[ACTIVITY] is other
    assert unite.notifications.relay.destinations[TOPIC] is not other


def test_without_it_events_are_delivered_to_the_destinations_themselves() -> None:
    ports = in_memory_ports()

    assert build(ports).notifications.relay.destinations[ACTIVITY] is ports.activity
