"""Fixtures for MongoDB: a database for each test, through the adapter and through the driver."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from adapters.mongo.connection import Mongo


@pytest.fixture
def mongo(mongodb_url: str) -> Iterator[Mongo]:
    mongo = Mongo(mongodb_url)
    yield mongo
    mongo.close()


@pytest.fixture
def database(mongodb_url: str) -> Iterator[Database[dict[str, Any]]]:
    """Return the same database through the driver alone."""
    with MongoClient[dict[str, Any]](mongodb_url, uuidRepresentation="standard", tz_aware=True) as client:
        yield client.get_default_database()
