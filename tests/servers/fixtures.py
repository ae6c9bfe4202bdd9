"""The servers as fixtures, for every test."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from pymongo import MongoClient
from redis import Redis
from sqlalchemy import create_engine, make_url, text

from tests.servers.finding import NotFound
from tests.servers.kinds import Server
from tests.servers.mongodb import MONGODB
from tests.servers.moto import MOTO
from tests.servers.mysql import MYSQL
from tests.servers.own import OwnServer
from tests.servers.redis import REDIS
from tests.servers.run import OwnRun, Run, Tell
from tests.servers.servers import Servers
from tests.servers.twilio import TwilioStandIn, a_stand_in

_RUN = pytest.StashKey[Run]()
_FOLDER = "servers_folder"


def pytest_configure(config: pytest.Config) -> None:
    shared: dict[str, str] | None = getattr(config, "workerinput", None)
    config.stash[_RUN] = OwnRun() if shared is None else Run(Path(shared[_FOLDER]))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist what run it belongs to."""
    node.workerinput[_FOLDER] = str(node.config.stash[_RUN].folder)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what the tests have run against."""
    records = sorted(config.stash[_RUN].folder.glob("*.json"))
    if records:
        terminalreporter.section("servers")
    for record in records:
        outcome = json.loads(record.read_text())
        terminalreporter.write_line(f"{record.stem}: {outcome.get('how', 'not to be had')}")


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(_RUN, None)
    if isinstance(run, OwnRun):
        run.end()


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Servers:
    """The servers of this test run; `with servers.private(REDIS) as server` is one that a test may kill."""
    return Servers(pytestconfig.stash[_RUN], _tell(pytestconfig))


def _tell(config: pytest.Config) -> Tell:
    capture = config.pluginmanager.getplugin("capturemanager")

    def tell(sentence: str) -> None:
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            print(f"\n{sentence}", file=sys.stderr, flush=True)

    return tell


@pytest.fixture(scope="session")
def mysql_server(servers: Servers) -> Server:
    """MySQL or MariaDB; its account may create databases and users."""
    with _failing():
        return servers.shared(MYSQL)


@pytest.fixture(scope="session")
def mongodb_server(servers: Servers) -> Server:
    """MongoDB, or what speaks its protocol; a single server, no replica set."""
    with _failing():
        return servers.shared(MONGODB)


@pytest.fixture(scope="session")
def redis_server(servers: Servers) -> Server:
    """Redis."""
    with _failing():
        return servers.shared(REDIS)


@pytest.fixture(scope="session")
def moto_server(servers: Servers) -> Server:
    """S3, SNS, SQS and more, as moto imitates them over HTTP."""
    with _failing():
        return servers.shared(MOTO)


@pytest.fixture
def mysql_database(mysql_server: Server, worker_id: str) -> Iterator[str]:
    """The URL of an empty database, which is dropped after the test."""
    with new_mysql_database(mysql_server, worker_id) as url:
        yield url


@contextmanager
def new_mysql_database(server: Server, worker_id: str) -> Iterator[str]:
    """The URL of an empty database, which is dropped after the block: for fixtures that tests share."""
    name = _fresh_name(worker_id)
    engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} CHARACTER SET utf8mb4"))
        yield make_url(server.url).set(database=name).render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name}"))
    finally:
        engine.dispose()


@pytest.fixture
def redis_url(redis_server: Server, worker_id: str) -> str:
    """The URL of an empty database of Redis, which no other test process uses."""
    target = urlsplit(redis_server.url)
    first = int(target.path.strip("/") or 0)
    own = int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0
    url = target._replace(path=f"/{first + own}").geturl()
    with Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def mongodb_url(mongodb_server: Server, worker_id: str) -> Iterator[str]:
    """The URL of a database of MongoDB that is not there yet, and is dropped after the test."""
    name = _fresh_name(worker_id)
    yield urlsplit(mongodb_server.url)._replace(path=f"/{name}").geturl()
    with MongoClient[dict[str, Any]](mongodb_server.url) as client:
        client.drop_database(name)


@pytest.fixture
def aws_url(moto_server: Server) -> str:
    """Where S3, SNS and SQS answer. Nothing is deleted between tests: `a_bucket_name` keeps them apart."""
    return moto_server.url


@pytest.fixture
def private_mysql(servers: Servers) -> Iterator[OwnServer]:
    """A MySQL or MariaDB of the test's own, which it may stop, kill and start again."""
    with _failing(), servers.private(MYSQL) as server:
        yield server


@pytest.fixture
def private_mongodb(servers: Servers) -> Iterator[OwnServer]:
    """A MongoDB of the test's own, which it may stop, kill and start again."""
    with _failing(), servers.private(MONGODB) as server:
        yield server


@pytest.fixture
def private_redis(servers: Servers) -> Iterator[OwnServer]:
    """A Redis of the test's own, which it may stop, kill and start again."""
    with _failing(), servers.private(REDIS) as server:
        yield server


@pytest.fixture
def twilio_server() -> Iterator[TwilioStandIn]:
    """What stands in for Twilio, of the test's own, which it may tell to misbehave, kill and start again."""
    with a_stand_in() as stand_in:
        yield stand_in


@contextmanager
def _failing() -> Iterator[None]:
    """Fail with what is said of a server that is nowhere, and with no traceback: the reason is not in the code."""
    try:
        yield
    except NotFound as nowhere:
        raise pytest.fail.Exception(str(nowhere), pytrace=False) from None


def _fresh_name(worker_id: str) -> str:
    """A name that no other test, process or run has for a database."""
    return f"unite_{worker_id}_{uuid4().hex[:12]}"
