"""Logs: JSON for machines, prose for whoever watches; both say what a record carries."""

import io
import json
import logging
import logging.config
from collections.abc import Iterator

import pytest

from entrypoints import logs

STREAM = "tests.entrypoints.logs"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logger = logging.getLogger(STREAM)
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield stream
    logger.removeHandler(handler)


def write(formatter: logging.Formatter, *, error: bool = False) -> None:
    logger = logging.getLogger(STREAM)
    logger.handlers[0].setFormatter(formatter)
    if error:
        trouble = ZeroDivisionError("no idea")
        logger.error("It broke.", exc_info=trouble, extra={"import_id": "0190"})
    else:
        logger.info("The import is %s.", "done", extra={"import_id": "0190", "correlation_id": None})


def test_for_machines_a_record_is_one_object_on_one_line(written: io.StringIO) -> None:
    write(logs.JsonLines())
    write(logs.JsonLines(), error=True)

    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert first.pop("timestamp").endswith("+00:00")
    assert first == {"level": "INFO", "logger": STREAM, "message": "The import is done.", "import_id": "0190"}
    assert "ZeroDivisionError: no idea" in second["exc_info"]


def test_for_people_a_record_is_a_line_that_ends_with_what_it_carries(written: io.StringIO) -> None:
    write(logs.Prose())

    assert written.getvalue()[8:] == "  INFO     The import is done.  import_id=0190\n"


def test_for_people_an_error_shows_where_it_happened(written: io.StringIO) -> None:
    write(logs.Prose(), error=True)

    first, *rest = written.getvalue().splitlines()
    assert first.endswith("ERROR    It broke.  import_id=0190")
    assert rest[-1] == "ZeroDivisionError: no idea"


@pytest.mark.parametrize("formatter", [logs.Prose(), logs.JsonLines()], ids=["for people", "for machines"])
def test_what_somebody_else_made_long_is_shortened_and_keeps_its_end(
    written: io.StringIO, formatter: logging.Formatter
) -> None:
    logger = logging.getLogger(STREAM)
    logger.handlers[0].setFormatter(formatter)
    long = "x" * 1_000_000

    logger.error("It %s broke.", long, exc_info=ValueError(f"{long} the end"), extra={"path": f"/{long}"})

    assert len(written.getvalue()) < 4 * logs.MAX_VALUE_LENGTH
    assert "the end" in written.getvalue()
    assert "broke." in written.getvalue()


@pytest.mark.parametrize("human", [True, False])
def test_the_plan_is_one_that_python_takes(human: bool) -> None:
    config = logging.config.DictConfigurator(logs.plan(human=human))

    formatter = config.configure_formatter(config.config["formatters"]["lines"])

    assert isinstance(formatter, logs.Prose if human else logs.JsonLines)
