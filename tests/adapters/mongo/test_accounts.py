"""Tests of the service's account on a MongoDB that requires authentication: its privileges, and how it is created."""

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from adapters.mongo.accounts import ACTIONS, ROLE, MongoAccount, grant_privileges
from adapters.mongo.activity import COLLECTIONS, MongoActivityLog
from adapters.mongo.calls import MongoCallDocuments
from adapters.mongo.connection import Mongo
from tests.service_process import free_port
from unite_core.errors import Unavailable
from unite_core.paging import PageRequest
from unite_core.testing.builders import a_lead, a_task, a_user, an_entry, an_event, an_event_of, an_id

ALL_COLLECTIONS = (*COLLECTIONS, "call_log")
TIMEOUT = 60.0
ROOT = "root:of-all"
SERVICE = "service:a-pass%2Fword"


class OwnMongo:
    """A server that speaks MongoDB's protocol, with an account `root` and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._host = f"127.0.0.1:{free_port()}"
        (folder / "settings.toml").touch()
        self._start()
        with MongoClient[dict[str, Any]](f"mongodb://{self._host}/") as client:
            client.admin.command("createUser", "root", pwd="of-all", roles=[{"role": "root", "db": "admin"}])
        self.stop()
        self._start("--auth")

    def url(self, account: str, known_to: str = "unite") -> str:
        """The address of the database for an account."""
        return f"mongodb://{account}@{self._host}/unite?authSource={known_to}"

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(TIMEOUT)

    def _start(self, *options: str) -> None:
        program = str(Path(sys.executable).parent / "secantusd-py")
        host, _, port = self._host.partition(":")
        command = [program, "--config", str(self._folder / "settings.toml"), "--standalone", "--host", host]
        command += ["--port", port, "--storage-path", str(self._folder / "data"), "--log-level", "ERROR", *options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + TIMEOUT
        with MongoClient[dict[str, Any]](f"mongodb://{self._host}/", serverSelectionTimeoutMS=200) as client:
            while True:
                try:
                    client.admin.command("hello")
                except PyMongoError:
                    assert time.monotonic() < until, "it does not answer"
                    assert self._process.poll() is None, "it ended"
                else:
                    return


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnMongo]:
    server = OwnMongo(tmp_path_factory.mktemp("mongo"))
    yield server
    server.stop()


@pytest.fixture
def connected(server: OwnMongo) -> Iterator[Callable[..., Mongo]]:
    """The database as an account reaches it."""
    opened = []

    def connect(account: str, known_to: str = "unite") -> Mongo:
        opened.append(Mongo(server.url(account, known_to)))
        return opened[-1]

    yield connect
    for mongo in opened:
        mongo.close()


@pytest.fixture
def root(connected: Callable[..., Mongo]) -> Mongo:
    """A connection of the migrating account, with an empty database."""
    mongo = connected(ROOT, "admin")
    mongo.call(lambda database: [database.drop_collection(name) for name in ALL_COLLECTIONS])
    return mongo


@pytest.fixture
def service(server: OwnMongo, root: Mongo, connected: Callable[..., Mongo]) -> Mongo:
    """The service, once `migrate` has run."""
    MongoActivityLog(root).prepare()
    grant_privileges(root, MongoAccount.of_url(server.url(SERVICE)))
    return connected(SERVICE)


def test_the_service_can_read_the_activity_log_and_add_events(service: Mongo, caplog: pytest.LogCaptureFixture) -> None:
    log = MongoActivityLog(service)
    lead_id = an_id()
    event = an_event(lead_ids=(lead_id,))

    log.deliver([event])
    log.deliver([event])

    assert log.of_lead(lead_id, PageRequest()).items == [event]
    assert caplog.records == []
    service.ping()


@pytest.mark.parametrize(
    "forbidden",
    [
        lambda database: database.activity.delete_many({}),
        lambda database: database.call_log.delete_many({}),
        lambda database: database.call_log.drop(),
        lambda database: database.activity.drop(),
        lambda database: database.activity.create_index("at", expireAfterSeconds=1),
        lambda database: database.activity.drop_index("of_lead"),
        lambda database: database.command("collMod", "activity", index={"name": "retention", "expireAfterSeconds": 1}),
        lambda database: database.command("createUser", "me", pwd="x", roles=["root"]),
        lambda database: database.command("updateUser", "service", roles=[{"role": "root", "db": "admin"}]),
        lambda database: database.client.drop_database("unite"),
        lambda database: database.client.other.things.insert_one({}),
        lambda database: database.client.admin.things.find_one(),
        lambda database: database.client.list_database_names(),
    ],
)
def test_the_service_has_no_other_privileges(service: Mongo, forbidden: Callable[[Database[Any]], object]) -> None:
    MongoActivityLog(service).deliver([an_event(lead_ids=(an_id(),))])

    with pytest.raises(Unavailable) as refused:
        service.call(forbidden)

    assert isinstance(refused.value.__cause__, OperationFailure)
    assert refused.value.__cause__.code == 13


@pytest.mark.usefixtures("service")
def test_the_service_can_change_call_documents_only(root: Mongo) -> None:
    # The rights themselves are looked at: MongoDB goes by the collection, the server here by the database alone.
    answer = root.call(lambda database: database.command("rolesInfo", ROLE, showPrivileges=True))

    rights = {each["resource"]["collection"]: set(each["actions"]) for each in answer["roles"][0]["privileges"]}
    assert rights == {**{name: set(ACTIONS) for name in COLLECTIONS}, "call_log": {*ACTIONS, "update"}}
    assert {"update", "remove"}.isdisjoint(ACTIONS)


def test_the_service_can_replace_call_documents_by_those_of_later_entries(service: Mongo) -> None:
    task = a_task(a_lead(), a_user())
    first = an_entry(task)
    right = an_entry(task, [first])
    log, documents = MongoActivityLog(service), MongoCallDocuments(service)

    log.deliver([an_event_of(first)])
    log.deliver([an_event_of(right), an_event_of(first)])

    assert [stored.content["entry_id"] for stored in documents.of_tasks([task.id])] == [right.id]


def test_privileges_and_password_are_set_again_by_another_run(
    server: OwnMongo, root: Mongo, service: Mongo, connected: Callable[..., Mongo]
) -> None:
    root.call(lambda database: database.command("updateUser", "service", roles=[{"role": "root", "db": "admin"}]))
    service.call(lambda database: database.other.insert_one({}))

    grant_privileges(root, MongoAccount.of_url(server.url("service:another")))

    with pytest.raises(Unavailable):
        connected(SERVICE).ping()
    anew = connected("service:another")
    anew.ping()
    with pytest.raises(Unavailable):
        anew.call(lambda database: database.activity.delete_many({}))


def test_an_account_that_must_not_create_users_is_refused(server: OwnMongo, service: Mongo) -> None:
    with pytest.raises(Unavailable):
        grant_privileges(service, MongoAccount.of_url(server.url("me:too")))


def test_missing_collections_are_warned_about_and_created_by_the_first_event(
    service: Mongo, root: Mongo, caplog: pytest.LogCaptureFixture
) -> None:
    root.call(lambda database: [database.drop_collection(name) for name in ALL_COLLECTIONS])
    log = MongoActivityLog(service, retention=timedelta(days=1))
    lead_id = an_id()

    with caplog.at_level(logging.WARNING):
        log.deliver([an_event(lead_ids=(lead_id,))])
        log.deliver([an_event(lead_ids=(lead_id,))])

    assert len(log.of_lead(lead_id, PageRequest()).items) == 2
    assert [record.args for record in caplog.records] == [(name,) for name in ALL_COLLECTIONS]


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("mongodb://ann:a%2Fb@h/unite?authSource=unite", MongoAccount("ann", "a/b", "unite")),
        ("mongodb://ann:x@h/unite", MongoAccount("ann", "x", "unite")),
        ("mongodb://ann:x@h/?authSource=admin", MongoAccount("ann", "x", "admin")),
        ("mongodb://ann:x@h", MongoAccount("ann", "x", "admin")),
    ],
)
def test_a_url_names_the_account(url: str, account: MongoAccount) -> None:
    assert MongoAccount.of_url(url) == account
    assert "x" not in repr(account).partition("password")[2]


@pytest.mark.parametrize("url", ["mongodb://h/unite", "http://ann:x@h/unite", "mongodb://ann:x y@[h/unite", ""])
def test_a_url_without_an_account_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"account|address"):
        MongoAccount.of_url(url)
