"""Tests of conditional requests with If-Match and If-None-Match."""

import pytest

from tests.http.service import Person, Service, problem


@pytest.fixture
def manager(service: Service) -> Person:
    return service.manager()


@pytest.fixture
def lead(manager: Person) -> str:
    """Return the path of a lead at version 2."""
    path = manager.post("/v1/leads", json={"name": "Grace", "phone": "+12125550123"}).headers["Location"]
    assert manager.patch(path, json={"name": "Grace H."}).headers["ETag"] == '"2"'
    return path


@pytest.mark.parametrize("header", ['"2"', 'W/"2"', '"1", "2"', "*", '"1" ,,"2",', '"a,b", W/"2"'])
def test_a_client_with_the_current_version_gets_304_without_a_body(manager: Person, lead: str, header: str) -> None:
    answer = manager.get(lead, headers={"If-None-Match": header})

    assert answer.status_code == 304
    assert answer.headers["ETag"] == '"2"'
    assert answer.get_data() == b""


@pytest.mark.parametrize("header", ['"1"', '"3"', "2", '"02"', "", '"2', "W/2", "'2'"])
def test_a_client_with_another_version_or_none_gets_the_lead(manager: Person, lead: str, header: str) -> None:
    assert manager.get(lead, headers={"If-None-Match": header}).status_code == 200


@pytest.mark.parametrize("header", ['"2"', "*", '"1", "2"', '"2", "7"', ' "2" '])
def test_a_change_of_the_current_version_succeeds(manager: Person, lead: str, header: str) -> None:
    assert manager.patch(lead, json={"name": "G"}, headers={"If-Match": header}).headers["ETag"] == '"3"'


@pytest.mark.parametrize("header", ['"1"', '"3"', 'W/"2"', '"abc"', '"02"', '"1", "3"', '"' + "9" * 40 + '"', '""'])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_change_of_another_version_is_412_and_changes_nothing(
    manager: Person, lead: str, header: str, method: str
) -> None:
    body = {"json": {"name": "G"}} if method == "PATCH" else {}

    answer = manager.send(method, lead, headers={"If-Match": header}, **body)

    assert problem(answer) == (412, "precondition_failed")
    assert manager.get(lead).get_json()["name"] == "Grace H."


@pytest.mark.parametrize("header", ["2", '"2', "", ",", '"2" "3"', "W/*", "'2'", '*, "2"'])
def test_a_malformed_if_match_is_400(manager: Person, lead: str, header: str) -> None:
    answer = manager.patch(lead, json={"name": "G"}, headers={"If-Match": header})

    assert problem(answer) == (400, "invalid_header")


def test_of_two_concurrent_changes_of_one_version_one_succeeds(manager: Person, lead: str) -> None:
    first = manager.patch(lead, json={"status": "lost"}, headers={"If-Match": '"2"'})
    second = manager.patch(lead, json={"status": "contacted"}, headers={"If-Match": '"2"'})

    assert (first.status_code, second.status_code) == (200, 412)


def test_users_have_versions_too(service: Service) -> None:
    admin = service.admin()
    path = f"/v1/users/{admin.user.id}"

    assert admin.get("/v1/me", headers={"If-None-Match": '"1"'}).status_code == 304
    assert admin.get(path, headers={"If-None-Match": '"1"'}).status_code == 304
    assert problem(admin.patch(path, json={"name": "X"}, headers={"If-Match": '"7"'})) == (412, "precondition_failed")
    assert admin.patch(path, json={"name": "X"}, headers={"If-Match": '"7", "1"'}).headers["ETag"] == '"2"'
