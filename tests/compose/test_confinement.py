"""Tests of the privileges of containers: their users, file systems, networks, accounts and logs."""

import json

import pytest

from tests.compose.stack import OURS, Stack, StackFailed
from tests.service_process import Client

SERVICES = ("proxy", "app", "worker", "mysql", "mongo", "redis", "moto", "twilio")


USERS = {
    "proxy": "10002",
    "app": "10001",
    "worker": "10001",
    "twilio": "10001",
    "mysql": "999",
    "mongo": "999",
    "redis": "999",
    "moto": "65534",
}
"""Who runs what is in each container. Numbers, so that they are the same in every image of the name."""

WRITABLE = {
    "proxy": {"/config", "/data", "/run/caddy"},
    "app": {"/tmp", "/var/tmp", "/var/lib/unite"},
    "worker": {"/tmp", "/var/tmp", "/var/lib/unite"},
    "twilio": set(),
    "mysql": {"/tmp", "/var/lib/mysql", "/var/run/mysqld"},
    "mongo": {"/tmp", "/data/db", "/data/configdb"},
    "redis": {"/data"},
    "moto": {"/tmp"},
}
"""The folders that each can write to: data, and what is on its way."""


def test_no_process_in_a_container_runs_as_root_or_with_capabilities(stack: Stack) -> None:
    asked = "cat /proc/[0-9]*/status | grep -E '^(Uid|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs):'"
    none = {(f"Cap{kind}:", "0" * 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")}

    for service, user in USERS.items():
        # Docker's own program is there for a moment, as root, each time that a command begins in a container.
        looks = [stack.compose("exec", "-T", service, "sh", "-c", asked).splitlines() for _ in range(3)]
        shared_lines = set.intersection(*({tuple(line.split()) for line in look} for look in looks))
        assert shared_lines == {("Uid:", user, user, user, user), ("NoNewPrivs:", "1"), *none}, service


def test_containers_are_configured_without_capabilities_and_with_read_only_file_systems(stack: Stack) -> None:
    for service in (*USERS, "migrate"):
        host = stack.inspected(service)["HostConfig"]
        rights = (
            host["CapDrop"],
            host["CapAdd"] or [],
            host["Privileged"],
            host["ReadonlyRootfs"],
            host["SecurityOpt"],
        )
        assert rights == (["ALL"], [], False, True, ["no-new-privileges"]), service


@pytest.mark.parametrize("service", USERS)
def test_a_container_cannot_write_outside_its_data_folders(stack: Stack, service: str) -> None:
    mounts = stack.compose("exec", "-T", service, "sh", "-c", "awk '$4 ~ /^rw/ { print $2 }' /proc/mounts").splitlines()
    folders = {
        folder.replace("/run/mysqld", "/var/run/mysqld", 1) if folder == "/run/mysqld" else folder for folder in mounts
    }
    assert {folder for folder in folders if not folder.startswith(("/dev", "/proc", "/sys"))} == WRITABLE[service]
    with pytest.raises(StackFailed, match="Read-only file system"):
        stack.compose("exec", "-T", service, "sh", "-c", "echo x >/changed")


def test_the_service_account_can_only_read_and_extend_the_activity_log(stack: Stack) -> None:
    permitted, *forbidden = stack.as_service_in_mongo(
        "database.activity.find_one()",
        "database.activity.delete_many({})",
        "database.activity.create_index('at', name='soon', expireAfterSeconds=1)",
        "database.activity.drop()",
        "database.command('collMod', 'activity', index={'name': 'retention', 'expireAfterSeconds': 1})",
        "database.client.drop_database('unite')",
        "database.client.other.things.insert_one({})",
        "database.command('createUser', 'me', pwd='x', roles=['root'])",
        "database.command('grantRolesToUser', 'service', roles=[{'role': 'root', 'db': 'admin'}])",
        "database.client.list_database_names()",
    )

    # Changing what is there is a right that the service has on `call_log` alone, and that the small server which stands
    # in for MongoDB where there is none gives for a whole database. What the role says is read in
    # tests/adapters/mongo/test_accounts.py.
    assert permitted == ""
    assert len(forbidden) == 9
    assert all("not authorized" in each for each in forbidden), forbidden


def test_the_service_account_can_only_use_its_own_keys_in_redis(stack: Stack) -> None:
    permitted, *forbidden = stack.as_service_in_redis(
        "GET unite:x",
        "GET other",
        "SET other x",
        "KEYS *",
        "SCAN 0",
        "FLUSHALL",
        "FLUSHDB",
        "CONFIG GET *",
        "ACL LIST",
        "EVAL return 0",
        "PUBLISH rq:pubsub:x shutdown",
        "MONITOR",
        "REPLICAOF 10.0.0.1 6379",
        "SHUTDOWN",
    )

    assert permitted == ""
    assert len(forbidden) == 13
    assert all("no permissions" in each for each in forbidden), forbidden


def test_redis_and_mongodb_refuse_clients_without_an_account(stack: Stack) -> None:
    assert "NOAUTH" in stack.compose("exec", "-T", "redis", "redis-cli", "get", "unite:x")
    assert (
        stack.compose("exec", "-T", "redis", "redis-cli", "--user", "health", "--pass", "none", "ping").strip()
        == "PONG"
    )
    health = ("redis-cli", "--user", "health", "--pass", "none", "get", "unite:x")
    assert "NOPERM" in stack.compose("exec", "-T", "redis", *health)


def test_the_service_account_can_only_change_rows_and_none_of_the_ledger(stack: Stack) -> None:
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
def test_every_service_has_limits_of_memory_cpu_and_logs_and_is_restarted(stack: Stack, service: str) -> None:
    host = stack.inspected(service)["HostConfig"]

    assert host["Memory"] > 0
    assert host["NanoCpus"] > 0
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"]["Config"]["max-size"] == "10m"


def test_only_the_service_and_the_stand_ins_have_ports_and_only_on_this_machine(
    stack: Stack,
) -> None:
    published = {}
    for service in SERVICES:
        ports = stack.inspected(service)["NetworkSettings"]["Ports"]
        published[service] = {binding["HostIp"] for bindings in ports.values() for binding in bindings or []}

    nowhere: set[str] = set()
    assert published == {
        "proxy": {"127.0.0.1"},
        "app": nowhere,
        "moto": {"127.0.0.1"},
        "twilio": {"127.0.0.1"},
        "worker": nowhere,
        "mysql": nowhere,
        "mongo": nowhere,
        "redis": nowhere,
    }


def test_log_lines_are_json_without_secrets_and_phone_numbers(stack: Stack, client: Client) -> None:
    number = "+12125550147"
    client.call("POST", "/v1/leads", json={"name": "Katherine Johnson", "phone": number})
    client.call("GET", "/v1/leads", params={"q": number})
    token = str(client.session.headers["Authorization"]).removeprefix("Bearer ")

    logged = stack.logs(*OURS)

    lines = [json.loads(line) for line in logged.splitlines()]
    assert {"request", "Unite listens.", "The worker is ready."} <= {line["message"] for line in lines}
    whole = [path.read_text().strip() for path in stack.secrets.iterdir()]
    assert whole
    assert [secret for secret in (*whole, token, number, number[2:]) if secret in logged] == []
