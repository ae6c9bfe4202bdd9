"""The settings of traces: one switch of ours, and the variables that every SDK of OpenTelemetry reads."""

import pytest

from entrypoints.settings import SettingsRefused, Traces, read_settings

ON = {"UNITE_TRACES": "otlp"}


def traces_of(**variables: str) -> Traces:
    traces = read_settings({**ON, **variables}).traces
    assert traces is not None
    return traces


def problems_of(**variables: str) -> tuple[str, ...]:
    with pytest.raises(SettingsRefused) as refused:
        read_settings({**ON, **variables})
    return refused.value.problems


def test_nothing_is_traced_without_a_setting_whatever_is_set_for_other_programs() -> None:
    others = {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}

    assert read_settings({}).traces is None
    assert read_settings({"UNITE_TRACES": "off", "OTEL_TRACES_SAMPLER": "xray", **others}).traces is None


def test_traces_go_to_this_machine_and_all_are_recorded_by_default() -> None:
    assert traces_of() == Traces(endpoint="http://localhost:4318/v1/traces", headers={}, ratio=1.0)


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, "http://collector:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://example.com/otlp/"}, "https://example.com/otlp/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces:4318/here"}, "http://traces:4318/here"),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces:4318/v1/traces",
            },
            "http://traces:4318/v1/traces",
        ),
    ],
)
def test_the_address_is_that_of_the_standard_variables(variables: dict[str, str], endpoint: str) -> None:
    assert traces_of(**variables).endpoint == endpoint


@pytest.mark.parametrize(
    ("sampler", "share", "ratio"),
    [
        (None, None, 1.0),
        (None, "0.5", 1.0),
        ("always_on", "0.5", 1.0),
        ("parentbased_always_on", None, 1.0),
        ("always_off", None, 0.0),
        ("parentbased_always_off", "1", 0.0),
        ("traceidratio", "0.05", 0.05),
        ("parentbased_traceidratio", "0.25", 0.25),
        ("parentbased_traceidratio", "1e-3", 0.001),
        ("traceidratio", None, 1.0),
        ("traceidratio", "0", 0.0),
    ],
)
def test_the_share_that_is_recorded_is_that_of_the_sampler(
    sampler: str | None, share: str | None, ratio: float
) -> None:
    variables = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": share}

    assert traces_of(**{name: value for name, value in variables.items() if value is not None}).ratio == ratio


def test_headers_are_percent_encoded_and_secret() -> None:
    traces = traces_of(OTEL_EXPORTER_OTLP_HEADERS="x-key=hid%20den, authorization = Basic%20aGk%3D")

    assert traces.headers == {"x-key": "hid den", "authorization": "Basic aGk="}
    assert "hid den" not in repr(traces)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "is not like http://host:5000"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "grpc://collector", "is not like http://host:5000"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "is not http/protobuf, the only protocol here"),
        ("OTEL_TRACES_SAMPLER", "xray", "is none of always_on, always_off, traceidratio, parentbased_always_on, "),
        ("OTEL_TRACES_SAMPLER_ARG", "1.1", "is not a number from 0 to 1"),
        ("OTEL_TRACES_SAMPLER_ARG", "-0.1", "is not a number from 0 to 1"),
        ("OTEL_TRACES_SAMPLER_ARG", "nan", "is not a number from 0 to 1"),
        ("OTEL_TRACES_SAMPLER_ARG", "half", "is not a number from 0 to 1"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "hidden", "entry 1 is not like name=value, percent-encoded"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=1,", "entry 2 is not like name=value, percent-encoded"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=hidden", "entry 1 is not like name=value, percent-encoded"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=hid%0Aden", "entry 1 is not like name=value, percent-encoded"),
    ],
)
def test_a_variable_that_cannot_be_used_is_refused_where_traces_are_on(name: str, value: str, problem: str) -> None:
    (only,) = problems_of(**{name: value})

    assert only.startswith(f"{name}: {problem}")
    assert "hid" not in only


def test_the_switch_takes_two_words() -> None:
    with pytest.raises(SettingsRefused, match="UNITE_TRACES: is none of off, otlp"):
        read_settings({"UNITE_TRACES": "yes"})
