"""What the containers may do, and what they tell: as little as they need."""

import json

import pytest

from tests.compose.stack import OURS, Stack, StackFailed
from tests.service_process import Client

USER = "10001"
SERVICES = ("app", "worker", "mysql", "mongo", "redis", "moto", "twilio")


@pytest.mark.parametrize("service", OURS)
def test_a_container_of_ours_runs_without_root_and_without_rights(stack: Stack, service: str) -> None:
    processes = stack.compose(
        "exec", "-T", service, "sh", "-c", "cat /proc/[0-9]*/status | grep -E '^(Uid|CapBnd|NoNewPrivs):'"
    ).splitlines()
    told = {tuple(line.split()) for line in processes}

    assert told == {("Uid:", USER, USER, USER, USER), ("CapBnd:", "0" * 16), ("NoNewPrivs:", "1")}


@pytest.mark.parametrize("service", OURS)
@pytest.mark.parametrize("folder", ["/", "/srv/unite", "/opt/unite/bin", "/run/lock"])
def test_a_container_of_ours_cannot_change_itself(stack: Stack, service: str, folder: str) -> None:
    with pytest.raises(StackFailed, match="Read-only file system"):
        stack.compose("exec", "-T", service, "touch", f"{folder}/changed")


def test_the_service_has_no_right_to_anything_but_its_rows_and_may_not_change_those_of_the_ledger(stack: Stack) -> None:
    permitted, *forbidden = stack.as_service(
        "SELECT COUNT(*) FROM call_ledger",
        "UPDATE call_ledger SET note = NULL",
        "DELETE FROM call_ledger",
        "TRUNCATE call_ledger",
        "DROP TRIGGER call_ledger_changed",
        "DROP TABLE leads",
        "CREATE TABLE mine (id INT)",
        "SELECT * FROM mysql.user",
    )

    assert permitted == ""
    assert len(forbidden) == 7
    assert all("command denied" in each for each in forbidden), forbidden


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_takes_the_whole_machine(stack: Stack, service: str) -> None:
    host = stack.inspected(service)["HostConfig"]

    assert host["Memory"] > 0
    assert host["NanoCpus"] > 0
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"]["Config"]["max-size"] == "10m"


def test_only_the_service_and_what_stands_in_for_others_are_reached_from_this_machine_and_from_no_other(
    stack: Stack,
) -> None:
    published = {}
    for service in SERVICES:
        ports = stack.inspected(service)["NetworkSettings"]["Ports"]
        published[service] = {binding["HostIp"] for bindings in ports.values() for binding in bindings or []}

    nowhere: set[str] = set()
    assert published == {
        "app": {"127.0.0.1"},
        "moto": {"127.0.0.1"},
        "twilio": {"127.0.0.1"},
        "worker": nowhere,
        "mysql": nowhere,
        "mongo": nowhere,
        "redis": nowhere,
    }


def test_what_is_logged_is_json_and_tells_no_secret_and_no_number(stack: Stack, client: Client) -> None:
    number = "+12125550147"
    client.call("POST", "/v1/leads", json={"name": "Katherine Johnson", "phone": number})
    client.call("GET", "/v1/leads", params={"q": number})
    token = str(client.session.headers["Authorization"]).removeprefix("Bearer ")

    logged = stack.logs(*OURS)

    lines = [json.loads(line) for line in logged.splitlines()]
    assert {"request", "Unite listens.", "The worker is ready."} <= {line["message"] for line in lines}
    whole = [path.read_text().strip() for path in stack.secrets.iterdir()]
    assert whole
    assert [told for told in (*whole, token, number, number[2:]) if told in logged] == []
