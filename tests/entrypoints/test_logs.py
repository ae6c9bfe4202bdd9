"""Logs: JSON for machines, prose for whoever watches; both say what a record carries."""

import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator

import pytest

from entrypoints import logs
from entrypoints.settings import LogFormat, LogLevel, LogSettings, SettingsRefused, read_log_settings, read_settings

LOGGERS = ("adapters", "entrypoints", "unite", "unite_core", "uvicorn", "alembic", "botocore", "rq", "urllib3")
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
    write(logs.JsonLinesFormatter())
    write(logs.JsonLinesFormatter(), error=True)

    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert first.pop("timestamp").endswith("+00:00")
    assert (first.pop("event"), first.pop("service"), first.pop("version")) == ("the_import_is", "unite", "0.1.0")
    assert first == {"level": "INFO", "logger": STREAM, "message": "The import is done.", "import_id": "0190"}
    assert "ZeroDivisionError: no idea" in second["exc_info"]


def test_for_people_a_record_is_a_line_that_ends_with_what_it_carries(written: io.StringIO) -> None:
    write(logs.TextFormatter())

    assert written.getvalue()[8:] == "  INFO     The import is done.  import_id=0190\n"


def test_for_people_an_error_shows_where_it_happened(written: io.StringIO) -> None:
    write(logs.TextFormatter(), error=True)

    first, *rest = written.getvalue().splitlines()
    assert first.endswith("ERROR    It broke.  import_id=0190")
    assert rest[-1] == "ZeroDivisionError: no idea"


@pytest.mark.parametrize(
    "formatter", [logs.TextFormatter(), logs.JsonLinesFormatter()], ids=["for people", "for machines"]
)
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


@pytest.fixture
def configured(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., list[str]]]:
    """Sets up logging, logs one record of each level by a logger, and returns the lines."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in LOGGERS}

    def lines(settings: LogSettings, name: str) -> list[str]:
        logging.config.dictConfig(logs.logging_config(settings, human=False))
        logger = logging.getLogger(name)
        for severity in ("debug", "info", "warning", "error"):
            getattr(logger, severity)("At %s.", severity)
        return capsys.readouterr().err.splitlines()

    yield lines
    root.handlers[:], root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_what_is_less_severe_than_the_level_is_not_logged(
    configured: Callable[..., list[str]], level: str, count: int
) -> None:
    settings = LogSettings(level=LogLevel(level))

    for name in ("entrypoints.cli.serve", "unite.requests"):
        assert len(configured(settings, name)) == count


def test_libraries_do_not_log_what_they_send_and_stay_quiet_at_error(configured: Callable[..., list[str]]) -> None:
    assert len(configured(LogSettings(level=LogLevel.DEBUG), "pymongo.command")) == 3
    assert len(configured(LogSettings(level=LogLevel.ERROR), "uvicorn.error")) == 1


def test_the_format_of_the_settings_goes_before_the_terminal(configured: Callable[..., list[str]]) -> None:
    lines = configured(LogSettings(level=LogLevel.ERROR, format=LogFormat.TEXT), "unite")

    assert lines[0].endswith("  ERROR    At error.")
    assert json.loads(configured(LogSettings(format=LogFormat.JSON), "unite")[0])["message"] == "At info."


def test_wrong_settings_of_logging_are_refused_with_the_others() -> None:
    wrong = {"UNITE_LOG_LEVEL": "loud", "UNITE_LOG_FORMAT": "xml"}

    assert read_log_settings(wrong) == LogSettings()
    with pytest.raises(SettingsRefused) as refused:
        read_settings(wrong)
    assert refused.value.problems == (
        "UNITE_LOG_LEVEL: is none of debug, info, warning, error",
        "UNITE_LOG_FORMAT: is none of json, text",
    )


@pytest.mark.parametrize("human", [True, False])
def test_the_plan_is_one_that_python_takes(human: bool) -> None:
    config = logging.config.DictConfigurator(logs.logging_config(LogSettings(), human=human))

    formatter = config.configure_formatter(config.config["formatters"]["lines"])

    assert isinstance(formatter, logs.TextFormatter if human else logs.JsonLinesFormatter)


def test_where_there_is_a_span_each_line_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = logging.StreamHandler(written := io.StringIO())
    handler.setFormatter(logs.JsonLinesFormatter())
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    current = {"trace_id": "4b" * 16, "span_id": "f0" * 8}

    logs.name_spans(lambda: current)
    logging.getLogger("unite").warning("Inside.")
    current = {}
    logging.getLogger("unite").warning("Outside.")

    inside, outside = (json.loads(line) for line in written.getvalue().splitlines())
    assert (inside["trace_id"], inside["span_id"]) == ("4b" * 16, "f0" * 8)
    assert outside.keys() & {"trace_id", "span_id"} == set()
