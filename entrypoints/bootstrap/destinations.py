"""The list of further destinations of events, empty by default, and how each is created from a variable."""

from collections.abc import Callable, Mapping, Sequence

from entrypoints.bootstrap.optional_servers import Dependency
from entrypoints.bootstrap.refusal import StartRefused
from entrypoints.settings import Settings
from unite_core.notifications.ports import Destination

Factory = Callable[[Settings], Destination | None]
"""A function that creates a destination; None if the settings do not include it."""


def by_variable(name: str, make: Callable[[str], Destination]) -> Factory:
    """Return a factory that creates a destination from the value of one variable, if it is set.

    If `make` raises `ValueError` about the value, the factory raises `StartRefused`.
    """

    def made(settings: Settings) -> Destination | None:
        value = settings.destinations.get(name)
        if value is None:
            return None
        try:
            return make(value)
        except ValueError as error:
            raise StartRefused(f"{name}: {error}") from error

    return made


def make_destinations(settings: Settings, factories: Sequence[Factory]) -> Sequence[Destination]:
    """Create the further destinations that the settings include."""
    made = (make(settings) for make in factories)
    return [destination for destination in made if destination is not None]


def health_of(destinations: Sequence[Destination]) -> Mapping[str, Dependency]:
    """Return the health checks of the destinations by name; the service is ready without any of them."""
    return {destination.subscription.name: Dependency(check=destination.ping) for destination in destinations}


FURTHER: Sequence[Factory] = ()
"""One line for each further destination (docs/how-to/add-a-destination.md)."""
