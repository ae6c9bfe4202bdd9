"""Tests of the limits of the size of problem documents."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from entrypoints.http.framework.fields import MAX_ERRORS, MAX_VALUES
from entrypoints.http.framework.query_string import MAX_PARAMETERS, MAX_QUERY_BYTES
from tests.http.service import Person, Service, faults, problem

MAX_DOCUMENT = 64 * 1024
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def manager(service: Service) -> Person:
    return service.manager()


def unknown_fields(number: int, name: str = "field-{}") -> bytes:
    return json.dumps({name.format(it): 1 for it in range(number)}).encode()


@pytest.mark.parametrize("number", [51, 5_000, 40_000])
def test_of_many_unknown_fields_fifty_are_listed_and_all_are_counted(manager: Person, number: int) -> None:
    answer = manager.post("/v1/leads", data=unknown_fields(number), headers=JSON)

    assert problem(answer) == (422, "invalid")
    assert len(answer.get_json()["errors"]) == MAX_ERRORS
    assert answer.get_json()["detail"] == f"The body breaks a rule. 50 of {number + 1:,} errors are shown."
    assert len(answer.get_data()) < MAX_DOCUMENT


def test_unknown_fields_are_listed_in_order_after_errors_of_known_ones(manager: Person) -> None:
    answer = manager.post("/v1/leads", data=unknown_fields(200), headers=JSON)

    shown = [("/name", "required"), *((f"/field-{it}", "unknown_field") for it in range(MAX_ERRORS - 1))]
    assert faults(answer) == shown


def test_fifty_errors_are_all_listed_and_not_counted(manager: Person) -> None:
    answer = manager.post("/v1/leads", data=unknown_fields(MAX_ERRORS - 1), headers=JSON)

    assert len(answer.get_json()["errors"]) == MAX_ERRORS
    assert answer.get_json()["detail"] == "The body breaks a rule."


def test_errors_in_nested_objects_are_counted_too(manager: Person) -> None:
    body = {"filename": "leads.csv", "size": 10, "options": {f"option-{it}": 1 for it in range(1000)}}

    answer = manager.post("/v1/lead-imports", json=body)

    assert problem(answer) == (422, "invalid")
    assert faults(answer)[0] == ("/options/option-0", "unknown_field")
    assert answer.get_json()["detail"] == "The body breaks a rule. 50 of 1,000 errors are shown."


def long_name(manager: Person) -> Any:
    return manager.post("/v1/leads", json={"x" * 1_000_000: 1})


def long_names_whose_characters_take_six_bytes(manager: Person) -> Any:
    return manager.post("/v1/leads", data=json.dumps({"\1" * 3_000 + str(it): 1 for it in range(50)}), headers=JSON)


def long_header_of_a_column(manager: Person) -> Any:
    return manager.post(
        "/v1/lead-imports", json={"filename": "a.csv", "size": 1, "options": {"columns": {"x" * 900_000: "nothing"}}}
    )


def many_columns(manager: Person) -> Any:
    columns = {f"column {it}": "nothing" for it in range(20_000)}
    return manager.post("/v1/lead-imports", json={"filename": "a.csv", "size": 1, "options": {"columns": columns}})


def as_many_columns_as_there_may_be(manager: Person) -> Any:
    columns = {f"column {it}": "\1" * 700 for it in range(1000)}
    return manager.post("/v1/lead-imports", json={"filename": "a.csv", "size": 1, "options": {"columns": columns}})


def long_name_of_a_part(manager: Person) -> Any:
    part = b'--b\r\nContent-Disposition: form-data; name="' + b"x" * 60_000 + b'"\r\n\r\nx\r\n--b--\r\n'
    return manager.post("/v1/lead-imports/file", data=part, headers={"Content-Type": "multipart/form-data; boundary=b"})


def many_options_in_a_form(manager: Person) -> Any:
    part = b'--b\r\nContent-Disposition: form-data; name="options"\r\n\r\n' + unknown_fields(30_000) + b"\r\n--b--\r\n"
    return manager.post("/v1/lead-imports/file", data=part, headers={"Content-Type": "multipart/form-data; boundary=b"})


def long_path(manager: Person) -> Any:
    return manager.get("/v1/" + "%ff%00é" * 8_000)


def many_parameters(manager: Person) -> Any:
    return manager.get("/v1/leads?" + "&".join(f"p{it}=1" for it in range(30_000)))


def many_parameters_where_none_is_taken(manager: Person) -> Any:
    return manager.get("/v1/me?" + "&".join(f"p{it}=1" for it in range(30_000)))


def many_repeated_parameters(manager: Person) -> Any:
    return manager.get("/v1/leads?" + "&".join(f"p{it}=1&p{it}=2" for it in range(45)))


def long_parameter(manager: Person) -> Any:
    return manager.get("/v1/leads?" + "p" * 8_000 + "=1")


def unreadable_parameters(manager: Person) -> Any:
    return manager.get("/v1/leads?" + "&".join(["%ff"] * 90))


def many_values(manager: Person) -> Any:
    return manager.get("/v1/leads?" + urlencode({"source": ",".join(["web"] * 1_500)}))


def many_ids(manager: Person) -> Any:
    return manager.post("/v1/call-tasks", json={"lead_id": "x" * 500_000, "due_at": "y" * 500_000})


def long_texts(manager: Person) -> Any:
    return manager.post("/v1/leads", json={"name": "n" * 9_000, "phone": "+" + "1" * 9_000, "email": "@" * 9_000})


@pytest.mark.parametrize(
    "ask",
    [
        long_name,
        long_names_whose_characters_take_six_bytes,
        long_header_of_a_column,
        many_columns,
        as_many_columns_as_there_may_be,
        long_name_of_a_part,
        many_options_in_a_form,
        long_path,
        many_parameters,
        many_parameters_where_none_is_taken,
        many_repeated_parameters,
        long_parameter,
        unreadable_parameters,
        many_values,
        many_ids,
        long_texts,
    ],
    ids=lambda ask: ask.__name__.replace("_", " "),
)
def test_a_problem_document_is_small_for_any_request(manager: Person, ask: Callable[[Person], Any]) -> None:
    answer = ask(manager)

    assert 400 <= answer.status_code < 500
    problem(answer)
    document = answer.get_json()
    assert len(answer.get_data()) < MAX_DOCUMENT
    assert len(document.get("errors", [])) <= MAX_ERRORS
    assert sum(len(name) + len(value) for name, value in answer.headers.items()) < 4_000


def test_a_long_path_is_truncated_at_a_character_boundary(manager: Person) -> None:
    instance = manager.get("/v1/" + "é" * 8_000).get_json()["instance"]

    assert len(instance) <= 2000
    assert instance.startswith("/v1/%C3%A9")
    assert len(instance.removeprefix("/v1/")) % 3 == 0


@pytest.mark.parametrize("path", ["/v1/leads", "/v1/me", "/v1/call-logs"])
def test_a_query_with_too_many_parameters_is_refused_with_the_first_surplus_one(manager: Person, path: str) -> None:
    parameters = [f"p{it}=1" for it in range(MAX_PARAMETERS + 5)]

    answer = manager.get(f"{path}?{'&'.join(parameters)}")

    assert problem(answer) == (400, "invalid_parameter")
    assert faults(answer) == [(f"p{MAX_PARAMETERS}", "too_many_parameters")]


def test_a_query_that_is_too_long_is_refused_with_the_parameter_at_the_limit(manager: Person) -> None:
    answer = manager.get("/v1/leads?limit=5&q=" + "x" * MAX_QUERY_BYTES + "&source=web")

    assert problem(answer) == (400, "invalid_parameter")
    assert faults(answer) == [("q", "too_long")]


def test_a_parameter_accepts_at_most_200_values(manager: Person) -> None:
    maximum = ",".join(f"s{it}" for it in range(MAX_VALUES))

    assert manager.get(f"/v1/leads?source={maximum}").status_code == 200
    refused = manager.get(f"/v1/leads?source={maximum},one-more")

    assert problem(refused) == (400, "invalid_parameter")
    assert faults(refused) == [("source", "too_many_values")]


def test_a_webhook_refuses_a_form_with_thousands_of_fields() -> None:
    service = Service(verify_text_signature=lambda *_: True)

    answer = service.stranger.post(
        "/webhooks/twilio/inbound",
        data="&".join(f"f{it}=1" for it in range(5_000)),
        headers={"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": "any"},
    )

    assert problem(answer) == (400, "malformed_form")


def cpu_seconds(*works: Callable[[], object]) -> list[float]:
    """Return the processor seconds of the fastest of seven runs of each, in turns, without the cost of coverage."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return [min(runs) for runs in zip(*([_cpu_seconds(work) for work in works] for _ in range(7)), strict=True)]
    finally:
        sys.settrace(tracer)


def _cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@pytest.mark.parametrize(
    "body",
    [
        unknown_fields(45_000),
        b'{"options": ' + unknown_fields(45_000) + b"}",
        b'{"name": [' + b'{"a":1},' * 90_000 + b"1]}",
    ],
    ids=["unknown fields", "unknown fields in an object", "objects in a list"],
)
def test_an_invalid_body_costs_little_more_than_parsing_it(manager: Person, body: bytes) -> None:
    parsed, answered = cpu_seconds(
        lambda: json.loads(body), lambda: manager.post("/v1/lead-imports", data=body, headers=JSON)
    )

    assert answered < 6 * parsed
