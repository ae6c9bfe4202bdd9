"""Tests of the decoding of query strings."""

import pytest

from tests.http.service import Service, faults, problem


@pytest.mark.parametrize("written", ["%FF", "%ED%A0%80", "%C3", "%zz", "%", "%4", "a%2", "\xff", "%F5%80%80%80"])
@pytest.mark.parametrize(("path", "name"), [("/v1/leads", "q"), ("/v1/leads", "source"), ("/v1/me", "nothing")])
def test_a_value_that_is_not_utf_8_is_400_with_the_parameter(
    service: Service, path: str, name: str, written: str
) -> None:
    answer = service.manager().get(path, environ_overrides={"QUERY_STRING": f"{name}={written}"})

    assert problem(answer) == (400, "invalid_parameter")
    assert faults(answer) == [(name, "malformed_encoding")]


def test_a_name_that_is_not_utf_8_is_400(service: Service) -> None:
    answer = service.manager().get("/v1/leads", environ_overrides={"QUERY_STRING": "q%FF=a"})

    assert problem(answer) == (400, "invalid_parameter")
    assert faults(answer) == [("q\ufffd", "malformed_encoding")]


@pytest.mark.parametrize(
    "query", ["q=100%25", "q=%F0%9F%98%80", "q=Zo%c3%ab", "q=a+b", "q=%2B1", "&q=a&", "q=\xc3\xab"]
)
def test_utf_8_is_accepted_unchanged(service: Service, query: str) -> None:
    answer = service.manager().get("/v1/leads", environ_overrides={"QUERY_STRING": query})

    assert answer.status_code == 200
