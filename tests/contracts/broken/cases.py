"""A test class for each broken and each correct adapter; only `run.py` collects them."""

from tests.contracts.broken import (
    accounts,
    caches,
    calls,
    deliveries,
    destinations,
    files,
    imports,
    leads,
    messages,
    reports,
    users,
)
from tests.contracts.broken.making import Port

PORTS: tuple[Port, ...] = (
    caches.PORT,
    files.IN_MEMORY,
    files.IN_A_FOLDER,
    users.PORT,
    leads.PORT,
    calls.TASKS,
    calls.LEDGER,
    deliveries.PORT,
    messages.JOBS,
    messages.TOPIC,
    messages.TEXTS,
    destinations.PORT,
    destinations.FOLLOWED_PORT,
    *accounts.PORTS,
    *imports.PORTS,
    *reports.PORTS,
)

RIGHT = "it is right"


def _classes(port: Port) -> dict[str, type]:
    adapters = {RIGHT: port.right, **port.broken}
    classes = {}
    for number, (what, adapter) in enumerate(adapters.items()):
        suite = port.suite(adapter)
        suite.__name__ = suite.__qualname__ = f"Test_{port.name}_{number}"
        suite.case = f"{port.name}: {what}"  # type: ignore[attr-defined]  # read by `run.py`
        classes[suite.__name__] = suite
    return classes


for _port in PORTS:
    globals().update(_classes(_port))
