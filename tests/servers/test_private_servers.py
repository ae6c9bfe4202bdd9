"""Tests of private servers that a test may stop and kill: they come back with their data."""

from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.write_concern import WriteConcern
from redis import Redis
from sqlalchemy import create_engine, text

from tests.servers.kinds import NoAnswer, ServerKind
from tests.servers.mongodb import MONGODB
from tests.servers.mysql import MYSQL
from tests.servers.own import OwnServer
from tests.servers.redis import REDIS


def go_down_and_up(server: OwnServer, kind: ServerKind, way: str) -> None:
    url = server.url
    getattr(server, way)()
    with pytest.raises(NoAnswer):
        kind.version(url)
    server.start()
    assert server.url == url


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_mysql_comes_back_with_its_rows(private_mysql: OwnServer, way: str) -> None:
    engine = create_engine(private_mysql.url, pool_pre_ping=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE DATABASE kept"))
        connection.execute(text("CREATE TABLE kept.leads (id INT PRIMARY KEY)"))
        connection.execute(text("INSERT INTO kept.leads VALUES (7)"))

    go_down_and_up(private_mysql, MYSQL, way)

    with engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM kept.leads")).scalar() == 7
    engine.dispose()


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_redis_comes_back_with_its_keys(private_redis: OwnServer, way: str) -> None:
    with Redis.from_url(private_redis.url) as client:
        client.set("key", "value")

        go_down_and_up(private_redis, REDIS, way)

        assert client.get("key") == b"value"


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_mongodb_comes_back_with_its_documents(private_mongodb: OwnServer, way: str) -> None:
    with MongoClient[dict[str, Any]](private_mongodb.url) as client:
        activity = client["kept"].get_collection("activity", write_concern=WriteConcern(j=True))
        activity.insert_one({"_id": 7})

        go_down_and_up(private_mongodb, MONGODB, way)

        assert activity.find_one() == {"_id": 7}
