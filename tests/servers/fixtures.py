"""Fixtures for servers: MySQL, MongoDB, Redis, moto, Twilio."""

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
    """Pass the test run on to a process of pytest-xdist."""
    node.workerinput[_FOLDER] = str(node.config.stash[_RUN].folder)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print which servers the tests have used."""
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
    """Return the servers of this test run; `with servers.private(REDIS) as server` gives one that a test may kill."""
    return Servers(pytestconfig.stash[_RUN], _tell(pytestconfig))


def _tell(config: pytest.Config) -> Tell:
    capture = config.pluginmanager.getplugin("capturemanager")

    def tell(sentence: str) -> None:
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            print(f"\n{sentence}", file=sys.stderr, flush=True)

    return tell


@pytest.fixture(scope="session")
def mysql_server(servers: Servers) -> Server:
    """Return a MySQL or MariaDB whose account may create databases and users."""
    with _failing():
        return servers.shared(MYSQL)


@pytest.fixture(scope="session")
def mongodb_server(servers: Servers) -> Server:
    """Return a MongoDB, or a server with its protocol; not a replica set."""
    with _failing():
        return servers.shared(MONGODB)


@pytest.fixture(scope="session")
def redis_server(servers: Servers) -> Server:
    """Return a Redis."""
    with _failing():
        return servers.shared(REDIS)


@pytest.fixture(scope="session")
def moto_server(servers: Servers) -> Server:
    """Return a moto server for S3, SNS, SQS and more."""
    with _failing():
        return servers.shared(MOTO)


@pytest.fixture
def mysql_database(mysql_server: Server, worker_id: str) -> Iterator[str]:
    """Return the URL of an empty database, which is dropped after the test."""
    with new_mysql_database(mysql_server, worker_id) as url:
        yield url


@contextmanager
def new_mysql_database(server: Server, worker_id: str) -> Iterator[str]:
    """Yield the URL of an empty database, which is dropped after the block; for shared fixtures."""
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
    """Return the URL of an empty Redis database that no other test process uses."""
    target = urlsplit(redis_server.url)
    first = int(target.path.strip("/") or 0)
    own = int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0
    url = target._replace(path=f"/{first + own}").geturl()
    with Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def mongodb_url(mongodb_server: Server, worker_id: str) -> Iterator[str]:
    """Return the URL of a new MongoDB database, which is dropped after the test."""
    name = _fresh_name(worker_id)
    yield urlsplit(mongodb_server.url)._replace(path=f"/{name}").geturl()
    with MongoClient[dict[str, Any]](mongodb_server.url) as client:
        client.drop_database(name)


@pytest.fixture
def aws_url(moto_server: Server) -> str:
    """Return the URL of S3, SNS and SQS. Nothing is deleted between tests; `a_bucket_name` separates them."""
    return moto_server.url


@pytest.fixture
def private_mysql(servers: Servers) -> Iterator[OwnServer]:
    """Return a private MySQL or MariaDB, which the test may stop, kill and start again."""
    with _failing(), servers.private(MYSQL) as server:
        yield server


@pytest.fixture
def private_mongodb(servers: Servers) -> Iterator[OwnServer]:
    """Return a private MongoDB, which the test may stop, kill and start again."""
    with _failing(), servers.private(MONGODB) as server:
        yield server


@pytest.fixture
def private_redis(servers: Servers) -> Iterator[OwnServer]:
    """Return a private Redis, which the test may stop, kill and start again."""
    with _failing(), servers.private(REDIS) as server:
        yield server


@pytest.fixture
def twilio_server() -> Iterator[TwilioStandIn]:
    """Return a private fake Twilio, which the test may make misbehave, kill and start again."""
    with a_stand_in() as stand_in:
        yield stand_in


@contextmanager
def _failing() -> Iterator[None]:
    """Fail with the message about a missing server, without a traceback, because the cause is not in the code."""
    try:
        yield
    except NotFound as nowhere:
        raise pytest.fail.Exception(str(nowhere), pytrace=False) from None


def _fresh_name(worker_id: str) -> str:
    """Return a database name that is unique across tests, processes and runs."""
    return f"unite_{worker_id}_{uuid4().hex[:12]}"
