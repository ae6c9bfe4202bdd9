"""Tests of the privileges of the accounts on MySQL and MariaDB: the migrating one, and the service's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from adapters.sql.engine import create_engine_for
from adapters.sql.events.activity import SqlActivityLog
from adapters.sql.migrate import downgrade, grant, is_current, upgrade
from adapters.sql.mysql.grants import DatabaseAccount, ExcessPrivileges
from adapters.sql.schema import schema
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from tests.databases import empty
from tests.servers.fixtures import new_mysql_database
from tests.servers.kinds import Server
from unite_core.calls.model import CallOutcome, Completion
from unite_core.calls.use_cases import CompleteCallTask, CompletedCall
from unite_core.identity.model import Role
from unite_core.testing.builders import a_lead, a_task, a_user, acting, an_entry, an_event
from unite_core.testing.contracts.database import add_all
from unite_core.testing.in_memory import FixedClock, SequentialIds

MIGRATES = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER"
PASSWORD = "secret"


@dataclass(frozen=True)
class Installation:
    """A database with two accounts, and the account that made them."""

    url: URL
    migrator: str
    service: str

    def root(self, *statements: str) -> None:
        """Make statements as the account that may do everything."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.replace("%", "%%"))
        engine.dispose()

    def engine(self, name: str) -> Engine:
        """An engine for one of the accounts, with connections of its own: rights on a schema are read once for each."""
        return create_engine_for(self.url.set(username=name, password=PASSWORD))

    @property
    def schema(self) -> str:
        """The name of the database as rights on the whole of it have it."""
        return f"`{self.url.database}`.*"


@contextmanager
def installed(url: str) -> Iterator[Installation]:
    """Accounts for a database; the one that migrates has its rights, the service's has none yet."""
    tag = uuid4().hex[-8:]
    made = Installation(url=make_url(url), migrator=f"migrator_{tag}", service=f"service_{tag}")
    made.root(
        f"CREATE USER '{made.migrator}'@'%' IDENTIFIED BY '{PASSWORD}'",
        f"CREATE USER '{made.service}'@'%' IDENTIFIED BY '{PASSWORD}'",
        f"GRANT {MIGRATES} ON {made.schema} TO '{made.migrator}'@'%' WITH GRANT OPTION",
    )
    yield made
    made.root(f"DROP USER '{made.migrator}'@'%', '{made.service}'@'%'")


@pytest.fixture
def new_installation(mysql_database: str) -> Iterator[Installation]:
    """An installation whose database is not migrated yet."""
    with installed(mysql_database) as made:
        yield made


@pytest.fixture(scope="module")
def shared_installation(mysql_server: Server, worker_id: str) -> Iterator[Installation]:
    """An installation that its own account has migrated, which takes seconds: the tests share it."""
    with new_mysql_database(mysql_server, worker_id) as url, installed(url) as made:
        migrated(made)
        yield made


@pytest.fixture
def installation(shared_installation: Installation) -> Installation:
    """An installation without rows, whose service has the rights of a new account that was granted once."""
    name = f"'{shared_installation.service}'@'%'"
    shared_installation.root(f"DROP USER {name}", f"CREATE USER {name} IDENTIFIED BY '{PASSWORD}'")
    engine = create_engine_for(shared_installation.url)
    empty(engine)
    engine.dispose()
    migrated(shared_installation)
    return shared_installation


def migrated(installation: Installation) -> None:
    engine = installation.engine(installation.migrator)
    upgrade(engine)
    grant(engine, DatabaseAccount(installation.service, "%"))
    engine.dispose()


@pytest.fixture
def service(installation: Installation) -> Iterator[Engine]:
    """The service's own connections, to a database that the account for it has migrated."""
    engine = installation.engine(installation.service)
    yield engine
    engine.dispose()


def refused(engine: Engine, statement: str) -> str:
    with engine.begin() as connection, pytest.raises(DBAPIError) as error:
        connection.exec_driver_sql(statement)
    return str(error.value.orig)


def test_the_service_account_can_complete_a_call(service: Engine) -> None:
    work = SqlUnitOfWorkFactory(service)
    ann, lead = a_user(role=Role.ADMIN), a_lead()
    task = a_task(lead, ann, assigned_to=ann.id)
    add_all(work, ann, lead, task)
    complete = CompleteCallTask(work, FixedClock(), SequentialIds())
    made = Completion(
        outcome=CallOutcome.CONVERTED, duration_seconds=60, follow_up_at=FixedClock().now() + timedelta(days=1)
    )

    complete(acting(ann), CompletedCall(task_id=task.id, completion=made))

    assert is_current(service)
    with SqlUnitOfWorkFactory(service, reading=True)() as unit:
        (entry,) = unit.ledger.chains([task.id])[task.id]
        assert entry.outcome is CallOutcome.CONVERTED
        assert unit.leads.get(lead.id).status == "converted"


def test_the_service_account_can_do_everything_that_the_service_needs(service: Engine) -> None:
    work = SqlUnitOfWorkFactory(service)
    add_all(work, a_user(), a_lead(status_chosen_at=FixedClock().now()))
    SqlActivityLog(service).deliver([an_event()])

    with service.begin() as connection:
        for table in set(schema.tables) - {"call_ledger"}:
            connection.exec_driver_sql(f"SELECT count(*) FROM {table} FOR UPDATE").scalar_one()
            column = schema.tables[table].columns.keys()[0]
            connection.exec_driver_sql(f"UPDATE {table} SET {column} = {column} WHERE 1 = 0")
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE 1 = 0")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE call_ledger SET note = NULL",
        "DELETE FROM call_ledger",
        "REPLACE INTO call_ledger SELECT * FROM call_ledger",
        "TRUNCATE TABLE call_ledger",
        "DROP TABLE call_ledger",
        "ALTER TABLE call_ledger RENAME TO other",
        "DROP TRIGGER call_ledger_changed",
        "UPDATE alembic_version SET version_num = '0001'",
        "DROP TABLE leads",
        "CREATE TABLE mine (id INT)",
        "SELECT * FROM mysql.user",
    ],
)
def test_the_service_account_has_no_other_privileges(service: Engine, statement: str) -> None:
    ann, lead = a_user(), a_lead()
    task = a_task(lead, ann)
    add_all(SqlUnitOfWorkFactory(service), ann, lead, task, an_entry(task))

    assert "denied" in refused(service, statement)
    with service.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM call_ledger").scalar_one() == 1


@pytest.mark.parametrize("statement", ["UPDATE call_ledger SET note = 'x'", "DELETE FROM call_ledger"])
def test_the_migrating_account_cannot_change_the_ledger_either(
    installation: Installation, service: Engine, statement: str
) -> None:
    ann, lead = a_user(), a_lead()
    task = a_task(lead, ann)
    add_all(SqlUnitOfWorkFactory(service), ann, lead, task, an_entry(task))
    engine = installation.engine(installation.migrator)

    assert "The call ledger is append-only" in refused(engine, statement)
    engine.dispose()


@pytest.mark.parametrize("escaped", [False, True])
def test_excess_privileges_on_the_schema_are_revoked(installation: Installation, *, escaped: bool) -> None:
    whole = installation.schema.replace("_", r"\_") if escaped else installation.schema
    installation.root(f"GRANT {MIGRATES} ON {whole} TO '{installation.service}'@'%'")

    migrated(installation)

    engine = installation.engine(installation.service)
    for statement in ("DELETE FROM call_ledger", "DROP TABLE leads", "UPDATE call_ledger SET note = NULL"):
        assert "denied" in refused(engine, statement)
    add_all(SqlUnitOfWorkFactory(engine), a_user())
    engine.dispose()


def test_excess_privileges_on_the_ledger_are_revoked(installation: Installation, service: Engine) -> None:
    ledger = f"`{installation.url.database}`.call_ledger"
    installation.root(f"GRANT UPDATE, DELETE ON {ledger} TO '{installation.service}'@'%'")

    migrated(installation)

    assert "denied" in refused(service, "DELETE FROM call_ledger")
    assert "denied" in refused(service, "UPDATE call_ledger SET note = NULL")


@pytest.mark.parametrize("table", ["call_ledger", "leads"])
def test_excess_privileges_on_a_table_are_revoked(installation: Installation, service: Engine, table: str) -> None:
    on = f"`{installation.url.database}`.{table}"
    installation.root(
        f"GRANT CREATE, DROP, ALTER, INDEX, REFERENCES, TRIGGER ON {on} TO '{installation.service}'@'%'",
        f"GRANT SELECT ON {on} TO '{installation.service}'@'%' WITH GRANT OPTION",
    )

    migrated(installation)

    assert beyond(installation) == ExcessPrivileges()
    assert "denied" in refused(service, f"TRUNCATE TABLE {table}")
    with service.connect() as connection:
        assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0


def test_an_account_with_all_privileges_loses_the_excess_privileges(installation: Installation) -> None:
    migrated(installation)
    name, schema_name = f"'{installation.service}'@'%'", installation.url.database
    installation.root(
        f"GRANT ALL ON {installation.schema} TO {name} WITH GRANT OPTION",
        f"GRANT ALL ON `{schema_name}`.call_ledger TO {name} WITH GRANT OPTION",
        f"GRANT UPDATE (note) ON `{schema_name}`.call_ledger TO {name}",
    )

    assert beyond(installation) == ExcessPrivileges()


def test_privileges_that_cannot_be_revoked_are_reported(installation: Installation) -> None:
    migrated(installation)
    service, role = installation.service, f"role_{installation.service}"
    installation.root(
        f"CREATE ROLE {role}",
        f"GRANT {role} TO '{service}'@'%'",
        f"GRANT PROCESS ON *.* TO '{service}'@'%'",
        f"GRANT DELETE ON `unite%`.* TO '{service}'@'%'",
        f"GRANT SELECT ON mysql.* TO '{service}'@'%'",
    )

    more = beyond(installation).rights

    installation.root(f"DROP ROLE {role}")
    assert sorted(right.replace("`", "").replace("@%", "") for right in more) == [
        "DELETE ON unite%.*",
        "PROCESS ON *.*",
        f"the role {role}",
    ]


def test_a_migrating_account_that_cannot_see_other_privileges_reports_so(installation: Installation) -> None:
    engine = installation.engine(installation.migrator)
    upgrade(engine)

    assert grant(engine, DatabaseAccount(installation.service, "%")) == ExcessPrivileges(seen=False)
    engine.dispose()


def test_grants_succeed_if_the_migrating_account_cannot_revoke_everything(new_installation: Installation) -> None:
    new_installation.root(
        f"GRANT ALL ON {new_installation.schema} TO '{new_installation.service}'@'%'",
        f"REVOKE INDEX ON {new_installation.schema} FROM '{new_installation.migrator}'@'%'",
    )
    root = create_engine_for(new_installation.url)
    upgrade(root)
    root.dispose()
    engine = new_installation.engine(new_installation.migrator)

    grant(engine, DatabaseAccount(new_installation.service, "%"))

    engine.dispose()
    theirs = new_installation.engine(new_installation.service)
    assert "denied" in refused(theirs, "DELETE FROM call_ledger")
    theirs.dispose()


def beyond(installation: Installation) -> ExcessPrivileges:
    """Return the excess privileges after root has granted the service its privileges."""
    engine = create_engine_for(installation.url)
    more = grant(engine, DatabaseAccount(installation.service, "%"))
    engine.dispose()
    return more


def test_grants_stay_valid_after_an_upgrade_and_new_tables_need_another_grant(
    new_installation: Installation,
) -> None:
    migrator = new_installation.engine(new_installation.migrator)
    account = DatabaseAccount(new_installation.service, "%")
    upgrade(migrator, "0002")
    grant(migrator, account)
    before = new_installation.engine(new_installation.service)
    with before.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM leads").scalar_one() == 0

    upgrade(migrator)
    assert "denied" in refused(before, "SELECT * FROM call_tasks")
    grant(migrator, account)

    with before.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM call_tasks").scalar_one() == 0
    before.dispose()
    migrator.dispose()


def test_a_missing_account_is_neither_granted_anything_nor_created(installation: Installation) -> None:
    migrator = installation.engine(installation.migrator)
    upgrade(migrator)

    with pytest.raises(DBAPIError):
        grant(migrator, DatabaseAccount("nobody_made_me", "%"))

    migrator.dispose()
    nobody = create_engine(installation.url.set(username="nobody_made_me", password=""))
    with pytest.raises(DBAPIError, match="denied"):
        nobody.connect()


def test_the_migrating_account_does_not_revoke_its_own_privileges(new_installation: Installation) -> None:
    migrator = new_installation.engine(new_installation.migrator)
    upgrade(migrator, "0002")

    with pytest.raises(ValueError, match="it is the account that migrates"):
        grant(migrator, DatabaseAccount(new_installation.migrator, "%"))

    migrator.dispose()
    migrated(new_installation)


def test_a_migration_that_must_not_create_triggers_changes_nothing_and_can_be_repeated(
    new_installation: Installation,
) -> None:
    new_installation.root(f"REVOKE TRIGGER ON {new_installation.schema} FROM '{new_installation.migrator}'@'%'")
    without = new_installation.engine(new_installation.migrator)
    upgrade(without, "0002")

    with pytest.raises(DBAPIError, match="denied"):
        upgrade(without)

    with without.connect() as connection:
        tables = connection.exec_driver_sql("SHOW TABLES").scalars().all()
    assert not [table for table in tables if table.startswith("call_")]
    without.dispose()
    new_installation.root(f"GRANT TRIGGER ON {new_installation.schema} TO '{new_installation.migrator}'@'%'")
    allowed = new_installation.engine(new_installation.migrator)
    upgrade(allowed)
    assert is_current(allowed)
    downgrade(allowed, "0002")
    allowed.dispose()
