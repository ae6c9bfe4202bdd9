"""Recording of the SQL statements that a block executes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def selects(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Yield a list that collects the SELECT statements of the block."""
    made: list[tuple[str, Any]] = []

    def record(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.lstrip().startswith("SELECT"):
            made.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", record)
    yield made
    event.remove(engine, "before_cursor_execute", record)
