"""Tests of the shared test servers: each test has its own empty database."""

from typing import Any

import boto3
import pytest
from botocore.config import Config
from pymongo import MongoClient
from redis import Redis
from sqlalchemy import create_engine, inspect, text

from tests.servers.moto import a_bucket_name


@pytest.fixture(scope="module")
def earlier() -> set[str]:
    """The databases of earlier tests of this file, which must not exist any more."""
    return set()


@pytest.mark.parametrize("time", ["first", "second"])
def test_a_test_has_its_own_empty_mysql_database(mysql_database: str, time: str, earlier: set[str]) -> None:
    engine = create_engine(mysql_database)

    assert inspect(engine).get_table_names() == [], f"the {time} time"
    assert earlier.isdisjoint(inspect(engine).get_schema_names())
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE leads (id INT PRIMARY KEY)"))
        connection.execute(text("INSERT INTO leads VALUES (1)"))

    earlier.add(str(engine.url.database))
    engine.dispose()


def test_the_account_on_mysql_can_create_others(mysql_database: str) -> None:
    engine = create_engine(mysql_database)
    with engine.begin() as connection:
        connection.execute(text("CREATE USER reader@'%' IDENTIFIED BY 'secret'"))
        connection.execute(text(f"GRANT SELECT ON {engine.url.database}.* TO reader@'%'"))
    reader = create_engine(engine.url.set(username="reader", password="secret"))

    with reader.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1

    reader.dispose()
    with engine.begin() as connection:
        connection.execute(text("DROP USER reader@'%'"))
    engine.dispose()


@pytest.mark.parametrize("time", ["first", "second"])
def test_a_test_has_its_own_empty_redis_database(redis_url: str, time: str) -> None:
    with Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0, f"the {time} time"
        client.set("key", "value")


@pytest.mark.parametrize("time", ["first", "second"])
def test_a_test_has_its_own_empty_mongodb_database(mongodb_url: str, time: str, earlier: set[str]) -> None:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        database = client.get_default_database()
        assert database.list_collection_names() == [], f"the {time} time"
        assert earlier.isdisjoint(client.list_database_names())
        database["activity"].insert_one({"_id": 1})
        earlier.add(database.name)


def test_a_file_is_stored_in_a_bucket_and_read_back(aws_url: str) -> None:
    storage = boto3.client(
        "s3",
        endpoint_url=aws_url,
        region_name="eu-central-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(proxies={}),
    )
    name = a_bucket_name()

    storage.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    storage.put_object(Bucket=name, Key="a", Body=b"content")

    assert storage.get_object(Bucket=name, Key="a")["Body"].read() == b"content"
    storage.close()
