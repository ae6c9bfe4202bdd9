"""Tests of leads over HTTP: create, list, get, update and delete."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from entrypoints.http.leads.schemas import LeadSchema, lead_json
from tests.http.service import Person, Service, faults, problem
from unite_core.identity.model import Role
from unite_core.testing.builders import a_lead

LEAD = {"name": "Grace Hopper", "phone": "(212) 555-0123"}


def add(person: Person, **lead: Any) -> dict[str, Any]:
    answer = person.post("/v1/leads", json={"name": "Somebody", **lead})
    assert answer.status_code == 201, answer.get_json()
    body: dict[str, Any] = answer.get_json()
    return body


def names(answer: Any) -> list[str]:
    return [each["name"] for each in answer.get_json()["items"]]


def test_the_json_of_a_lead_is_valid_by_its_schema() -> None:
    assert list(lead_json(a_lead())) == list(LeadSchema().fields)


def test_a_lead_is_created_and_read(service: Service) -> None:
    manager = service.manager()

    added = manager.post("/v1/leads", json={**LEAD, "email": "Grace@Navy.example", "source": "Referral"})

    assert added.status_code == 201
    lead = added.get_json()
    assert lead == {
        "id": lead["id"],
        "name": "Grace Hopper",
        "phone": "+12125550123",
        "phone_extension": None,
        "email": "grace@navy.example",
        "status": "new",
        "source": "referral",
        "assigned_to": None,
        "created_at": "2026-03-02T09:00:00Z",
        "updated_at": "2026-03-02T09:00:00Z",
        "version": 1,
        "company": None,
    }
    assert added.headers["ETag"] == '"1"'
    assert manager.get(added.headers["Location"]).get_json() == lead


def test_a_company_can_be_set_changed_and_cleared(service: Service) -> None:
    manager = service.manager()
    lead = add(manager, phone="+12125550123", company=" Acme ")
    assert lead["company"] == "Acme"

    for given, shown in (("ACME", "ACME"), ("", None), ("Acme", "Acme"), (None, None)):
        assert manager.patch(f"/v1/leads/{lead['id']}", json={"company": given}).get_json()["company"] == shown
    refused = manager.patch(f"/v1/leads/{lead['id']}", json={"company": "x" * 201})

    assert refused.status_code == 422
    assert [error["code"] for error in refused.get_json()["errors"]] == ["too_long"]
    assert manager.get("/v1/leads?company=").status_code == 400


@pytest.mark.parametrize("name", ["李小龍", "محمد علي", "\u200fשרה\u200f", "Zoë 👩‍👩‍👧‍👦", "O'Brien-Łukasz"])
def test_names_may_be_in_any_script(service: Service, name: str) -> None:
    manager = service.manager()

    lead = add(manager, name=name, phone="+12125550123")

    assert manager.get(f"/v1/leads/{lead['id']}").get_json()["name"] == name


@pytest.mark.parametrize(
    ("lead", "fault"),
    [
        ({"name": 5, "phone": "+12125550123"}, ("/name", "wrong_type")),
        ({"name": "A", "phone": 12125550123}, ("/phone", "wrong_type")),
        ({"name": "A", "phone": "+12125550123", "colour": "red"}, ("/colour", "unknown_field")),
        ({"name": "A", "phone": "12"}, ("/phone", "invalid_phone")),
        ({"name": "A", "email": "a@"}, ("/email", "invalid_email")),
        ({"name": "A"}, ("", "contact_required")),
        ({"phone": "+12125550123"}, ("/name", "required")),
        ({"name": "A\u0000", "phone": "+12125550123"}, ("/name", "control_character")),
        ({"name": "A" * 201, "phone": "+12125550123"}, ("/name", "too_long")),
        ({"name": "A", "phone": "+12125550123", "status": "open"}, ("/status", "unknown_value")),
        ({"name": "A", "phone": "+12125550123", "assigned_to": "me"}, ("/assigned_to", "invalid_id")),
        ({"name": "A", "phone": "+12125550123", "assigned_to": "0" * 32}, ("/assigned_to", "invalid_id")),
        ({"name": "A", "phone": "+12125550123", "a/b~c": 1}, ("/a~1b~0c", "unknown_field")),
    ],
)
def test_an_invalid_lead_is_refused_with_its_fields(
    service: Service, lead: dict[str, Any], fault: tuple[str, str]
) -> None:
    manager = service.manager()

    answer = manager.post("/v1/leads", json=lead)

    assert problem(answer) == (422, "invalid")
    assert faults(answer) == [fault]
    assert manager.get("/v1/leads").get_json()["items"] == []


def test_phones_that_differ_only_in_punctuation_are_duplicates(service: Service) -> None:
    manager = service.manager()
    first = add(manager, phone="+1 212 555 0123")

    answer = manager.post("/v1/leads", json=LEAD)

    assert problem(answer) == (409, "duplicate_lead")
    assert answer.get_json()["duplicates"] == [{"field": "phone", "id": first["id"]}]


def test_a_duplicate_that_the_agent_may_not_see_is_not_identified(service: Service) -> None:
    add(service.manager(), **LEAD)

    answer = service.agent().post("/v1/leads", json=LEAD)

    assert answer.get_json()["duplicates"] == [{"field": "phone", "id": None}]


def test_of_fifty_concurrent_requests_to_create_a_lead_one_succeeds(service: Service) -> None:
    manager = service.manager()
    start = Barrier(50)

    def post(number: int) -> int:
        start.wait()
        # Each in another spelling, so that nothing but the number itself makes them one.
        return manager.post(
            "/v1/leads", json={"name": f"Nr {number}", "phone": f"212{'-' * (number % 3)}5550123"}
        ).status_code

    with ThreadPoolExecutor(50) as pool:
        statuses = sorted(pool.map(post, range(50)))

    assert statuses == [201] + [409] * 49
    assert len(manager.get("/v1/leads").get_json()["items"]) == 1


def test_a_merge_patch_changes_the_given_fields_and_null_clears(service: Service) -> None:
    manager = service.manager()
    lead = add(manager, **LEAD, email="grace@navy.example")

    patched = manager.patch(
        f"/v1/leads/{lead['id']}",
        data=b'{"status": "contacted", "email": null}',
        headers={"Content-Type": "application/merge-patch+json"},
    )

    assert patched.get_json() == {**lead, "status": "contacted", "email": None, "version": 2}
    assert patched.headers["ETag"] == '"2"'


@pytest.mark.parametrize(
    ("patch", "phone", "extension"),
    [
        ({"phone": "(212) 555-0123"}, "+12125550123", "7"),
        ({"phone": "+12125550124"}, "+12125550124", None),
        ({"phone": "+12125550124", "phone_extension": "8"}, "+12125550124", "8"),
        ({"phone_extension": "8"}, "+12125550123", "8"),
        ({"phone_extension": None}, "+12125550123", None),
    ],
)
def test_a_merge_patch_changes_number_and_extension_together(
    service: Service, patch: dict[str, Any], phone: str, extension: str | None
) -> None:
    manager = service.manager()
    lead = add(manager, name="Grace", phone="+12125550123", phone_extension="7")

    patched = manager.patch(f"/v1/leads/{lead['id']}", json=patch).get_json()

    assert (patched["phone"], patched["phone_extension"]) == (phone, extension)


def test_a_merge_patch_without_changes_keeps_the_version(service: Service) -> None:
    manager = service.manager()
    lead = add(manager, **LEAD)

    for nothing in ({}, {"name": lead["name"], "phone": lead["phone"]}):
        patched = manager.patch(f"/v1/leads/{lead['id']}", json=nothing, headers={"If-Match": '"1"'})
        assert patched.get_json() == lead
        assert patched.headers["ETag"] == '"1"'
    stale = manager.patch(f"/v1/leads/{lead['id']}", json={}, headers={"If-Match": '"2"'})
    assert problem(stale) == (412, "precondition_failed")


@pytest.mark.parametrize(
    ("patch", "fault"),
    [
        ({"name": None}, ("/name", "null")),
        ({"status": None}, ("/status", "null")),
        ({"phone": None}, ("", "contact_required")),
        ({"version": 7}, ("/version", "unknown_field")),
    ],
)
def test_an_invalid_patch_changes_nothing(service: Service, patch: dict[str, Any], fault: tuple[str, str]) -> None:
    manager = service.manager()
    lead = add(manager, **LEAD)

    answer = manager.patch(f"/v1/leads/{lead['id']}", json=patch)

    assert problem(answer) == (422, "invalid")
    assert faults(answer) == [fault]
    assert manager.get(f"/v1/leads/{lead['id']}").get_json() == lead


def test_a_deleted_lead_is_not_found_and_its_phone_can_be_used_again(service: Service) -> None:
    manager = service.manager()
    lead = add(manager, **LEAD)

    deleted = manager.delete(f"/v1/leads/{lead['id']}")

    assert deleted.status_code == 204
    assert deleted.get_data() == b""
    assert problem(manager.get(f"/v1/leads/{lead['id']}")) == (404, "not_found")
    assert add(manager, **LEAD)["id"] != lead["id"]


@pytest.mark.parametrize("path", ["/v1/leads/1", "/v1/leads/none", f"/v1/leads/{'0' * 32}", "/v1/leads/../leads"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_malformed_id_is_404(service: Service, path: str, method: str) -> None:
    assert problem(service.manager().send(method, path)) == (404, "not_found")


def test_the_roles_that_may_access_leads(service: Service) -> None:
    manager = service.manager()
    people = {"admin": service.admin(), "manager": manager, "agent": service.agent()}
    results = {}
    for role, person in people.items():
        own = add(manager, email=f"own-{role}@unite.example", assigned_to=str(person.user.id))["id"]
        other = add(manager, email=f"other-{role}@unite.example")["id"]
        results[role] = [
            person.post("/v1/leads", json={"name": "A", "email": f"new-{role}@unite.example"}).status_code,
            person.post(
                "/v1/leads",
                json={"name": "A", "email": f"for-{role}@unite.example", "assigned_to": str(manager.user.id)},
            ).status_code,
            person.get(f"/v1/leads/{own}").status_code,
            person.get(f"/v1/leads/{other}").status_code,
            person.patch(f"/v1/leads/{own}", json={"status": "lost"}).status_code,
            person.patch(f"/v1/leads/{other}", json={"status": "lost"}).status_code,
            person.patch(f"/v1/leads/{own}", json={"assigned_to": None}).status_code,
            person.delete(f"/v1/leads/{other}").status_code,
            person.delete(f"/v1/leads/{own}").status_code,
        ]

    assert results == {
        "admin": [201, 201, 200, 200, 200, 200, 200, 204, 204],
        "manager": [201, 201, 200, 200, 200, 200, 200, 204, 204],
        "agent": [201, 403, 200, 404, 200, 404, 403, 404, 403],
    }


def test_an_agent_lists_only_their_own_leads(service: Service) -> None:
    manager, agent = service.manager(), service.agent()
    add(manager, name="Mine", email="a@unite.example", assigned_to=str(agent.user.id))
    add(manager, name="Not mine", email="b@unite.example")

    assert names(agent.get("/v1/leads")) == ["Mine"]
    assert names(agent.get(f"/v1/leads?assigned_to={manager.user.id},none")) == []
    assert names(manager.get("/v1/leads")) == ["Not mine", "Mine"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=new", ["Linus", "Grace", "Ada"]),
        ("status=lost,contacted", []),
        ("source=web,fair", ["Linus", "Ada"]),
        ("source=WEB", ["Ada"]),
        ('company="acme, INC."', ["Ada"]),
        ('company="Acme, Inc.",Navy', ["Grace", "Ada"]),
        ("company=Acme", []),
        ("q=acme", ["Ada"]),
        ('source= "fair" , web ', ["Linus", "Ada"]),
        ("assigned_to=none", ["Linus", "Grace"]),
        ("assigned_to=none,{agent}", ["Linus", "Grace", "Ada"]),
        ("assigned_to={agent}", ["Ada"]),
        ("q=gra", ["Grace"]),
        ("q=(212) 555-0124", ["Grace"]),
        ("q=", ["Linus", "Grace", "Ada"]),
        ("q=%20%20", ["Linus", "Grace", "Ada"]),
        ("q=&status=lost", []),
        ("q=-", []),
        ("q=nobody", []),
        ("created_from=2026-03-02T09:00:00Z", ["Linus", "Grace", "Ada"]),
        ("created_from=2026-03-02T10:00:00.000001%2B01:00", []),
        ("created_to=2026-03-02T09:00:00z", []),
        ("created_to=2026-03-02t04:00:01-05:00", ["Linus", "Grace", "Ada"]),
        ("status=new&source=web&q=ada", ["Ada"]),
    ],
)
def test_leads_are_filtered_by_the_query(service: Service, query: str, expected: list[str]) -> None:
    manager = service.manager()
    agent = service.add(Role.AGENT)
    add(manager, name="Ada", phone="+12125550123", source="web", assigned_to=str(agent.id), company="Acme, Inc.")
    add(manager, name="Grace", phone="+12125550124", source="mail", company="NAVY")
    add(manager, name="Linus", phone="+12125550125", source="fair")

    assert names(manager.get(f"/v1/leads?{query.format(agent=agent.id)}")) == expected


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ('"fair, Berlin",web', ["Marie", "Ada"]),
        ('web,"Fair, Berlin"', ["Marie", "Ada"]),
        ("fair, Berlin", []),
        ('"24"" screen"', ["Edith"]),
        ('"web"', ["Ada"]),
    ],
)
def test_a_source_with_a_comma_or_a_quote_is_quoted_in_the_query(
    service: Service, sources: str, expected: list[str]
) -> None:
    manager = service.manager()
    add(manager, name="Ada", phone="+12125550123", source="web")
    add(manager, name="Marie", phone="+12125550126", source="Fair, Berlin")
    add(manager, name="Edith", phone="+12125550127", source='24" screen')

    assert names(manager.get("/v1/leads", query_string={"source": sources})) == expected


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("status=open", ("status", "unknown_value")),
        ("status=new,", ("status", "unknown_value")),
        ("source=", ("source", "required")),
        ('source="web', ("source", "malformed_list")),
        ('source=web"', ("source", "malformed_list")),
        ('source="web" fair', ("source", "malformed_list")),
        ('source="web""', ("source", "malformed_list")),
        (f"source={' ' * 8_000}%22", ("source", "malformed_list")),
        ('status="new', ("status", "malformed_list")),
        (f"source={'x' * 65}", ("source", "too_long")),
        ("assigned_to=me", ("assigned_to", "invalid_id")),
        (f"q={'x' * 201}", ("q", "too_long")),
        ("q=a%00b", ("q", "control_character")),
        ("created_from=2026-03-02", ("created_from", "invalid_moment")),
        ("created_from=2026-03-02T09:00:00", ("created_from", "invalid_moment")),
        ("created_from=2026-03-02T09:00:00+01:00", ("created_from", "invalid_moment")),
        ("created_from=2026-02-30T09:00:00Z", ("created_from", "invalid_moment")),
        ("created_to=0001-01-01T00:00:00%2B23:59", ("created_to", "invalid_moment")),
        ("created_to=9999-12-31T23:59:60Z", ("created_to", "invalid_moment")),
        ("limit=0", ("limit", "out_of_range")),
        ("limit=201", ("limit", "out_of_range")),
        ("limit=ten", ("limit", "wrong_type")),
        ("limit=1.0", ("limit", "wrong_type")),
        ("limit=%D9%A1", ("limit", "wrong_type")),
        ("limit=1&limit=2", ("limit", "repeated")),
        ("offset=1", ("offset", "unknown_parameter")),
    ],
)
def test_a_malformed_query_is_400_with_the_parameter(service: Service, query: str, fault: tuple[str, str]) -> None:
    answer = service.manager().get(f"/v1/leads?{query}")

    assert problem(answer) == (400, "invalid_parameter")
    assert faults(answer) == [fault]


def test_an_operation_without_parameters_refuses_parameters(service: Service) -> None:
    manager = service.manager()

    assert problem(manager.post("/v1/leads?dry=1", json=LEAD)) == (400, "invalid_parameter")
    assert manager.get("/v1/leads").get_json()["items"] == []
