"""Creation of the service's account on MongoDB, with the least privileges.

The account can read the activity log, add to it, and write call documents, and can do nothing else.
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
"""Privileges on each collection of the activity log. The service can neither change nor remove a document, nor
create an index by which MongoDB would remove old ones."""

ACTIONS_ON_CALLS = (*ACTIONS, "update")
"""Privileges on call documents, which are replaced when the ledger has a later entry. The service removes none."""

# https://github.com/mongodb/mongo/blob/v8.0/src/mongo/base/error_codes.yml
_ALREADY_EXISTS = (51002, 51003)


@dataclass(frozen=True, slots=True)
class MongoAccount:
    """An account of MongoDB: its name, its password and its authentication database."""

    name: str
    password: str = field(repr=False)
    database: str

    @classmethod
    def of_url(cls, url: str) -> Self:
        """Return the account in a connection URL; raise `ValueError` where there is none."""
        try:
            parts = parse_uri(url)
        except PyMongoError:
            raise ValueError("is not an address of MongoDB") from None
        name, password = parts["username"], parts["password"]
        if not name or not password:
            raise ValueError("has no account with a password")
        return cls(name, password, parts["options"].get("authsource") or parts["database"] or "admin")


def grant_privileges(mongo: Mongo, account: MongoAccount) -> None:
    """Create or update the account, with this password and exactly the privileges of the service.

    `mongo` is the database of the activity log, with an account that may create roles and users. Safe to repeat. Raises
    `Unavailable`.
    """
    mongo.call(lambda database: _give_rights(database, account))


def _give_rights(database: Database[dict[str, Any]], account: MongoAccount) -> None:
    actions_on = {**dict.fromkeys(COLLECTIONS, ACTIONS), CallLogEntry.collection_name(): ACTIONS_ON_CALLS}
    privileges = [
        {"resource": {"db": database.name, "collection": collection}, "actions": list(actions)}
        for collection, actions in actions_on.items()
    ]
    _create_or_alter(database, "Role", ROLE, {"privileges": privileges, "roles": []})
    roles = [{"role": ROLE, "db": database.name}]
    _create_or_alter(database.client[account.database], "User", account.name, {"pwd": account.password, "roles": roles})


def _create_or_alter(database: Database[dict[str, Any]], kind: str, name: str, properties: dict[str, Any]) -> None:
    try:
        database.command(f"create{kind}", name, **properties)
    except OperationFailure as error:
        if error.code not in _ALREADY_EXISTS:
            raise
        database.command(f"update{kind}", name, **properties)
