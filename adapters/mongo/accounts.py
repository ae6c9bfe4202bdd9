"""The account that the service works with on MongoDB.

It reads and adds to the activity log, writes call documents, and can do nothing else.
"""

from dataclasses import dataclass, field
from typing import Any, Self

from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from adapters.mongo.activity import COLLECTIONS
from adapters.mongo.connection import Mongo
from adapters.mongo.documents import CallLogEntry

ROLE = "unite_service"

ACTIONS = ("find", "insert", "listIndexes")
"""What the service may do with each collection of the activity log. Nothing that is there can it change or remove,
neither by itself nor by an index after whose time MongoDB forgets."""

ACTIONS_ON_CALLS = (*ACTIONS, "update")
"""What the service may do with call documents, which a later entry of the ledger replaces. It removes none."""

# https://github.com/mongodb/mongo/blob/v8.0/src/mongo/base/error_codes.yml
_THERE_ALREADY = (51002, 51003)


@dataclass(frozen=True, slots=True)
class MongoAccount:
    """An account of MongoDB: its name, its password, and the database that knows it."""

    name: str
    password: str = field(repr=False)
    database: str

    @classmethod
    def of_url(cls, url: str) -> Self:
        """The account that an address logs in with; raises `ValueError` where it names none."""
        try:
            parts = parse_uri(url)
        except PyMongoError:
            raise ValueError("is no address of MongoDB") from None
        name, password = parts["username"], parts["password"]
        if not name or not password:
            raise ValueError("names no account and its password")
        return cls(name, password, parts["options"].get("authsource") or parts["database"] or "admin")


def grant_privileges(mongo: Mongo, account: MongoAccount) -> None:
    """Make the account where it is missing, with this password and the rights of the service and no others.

    `mongo` reaches the database of the activity log with an account that may make roles and users. Safe to repeat.
    Raises `Unavailable`.
    """
    mongo.call(lambda database: _give_rights(database, account))


def _give_rights(database: Database[dict[str, Any]], account: MongoAccount) -> None:
    allowed = {**dict.fromkeys(COLLECTIONS, ACTIONS), CallLogEntry.collection_name(): ACTIONS_ON_CALLS}
    privileges = [
        {"resource": {"db": database.name, "collection": collection}, "actions": list(actions)}
        for collection, actions in allowed.items()
    ]
    _make_or_change(database, "Role", ROLE, {"privileges": privileges, "roles": []})
    roles = [{"role": ROLE, "db": database.name}]
    _make_or_change(database.client[account.database], "User", account.name, {"pwd": account.password, "roles": roles})


def _make_or_change(database: Database[dict[str, Any]], what: str, name: str, properties: dict[str, Any]) -> None:
    try:
        database.command(f"create{what}", name, **properties)
    except OperationFailure as error:
        if error.code not in _THERE_ALREADY:
            raise
        database.command(f"update{what}", name, **properties)
