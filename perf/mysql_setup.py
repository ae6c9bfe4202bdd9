"""Setup for measurements on MySQL: an empty database, a manager, an agent and call tasks to complete."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import URL, create_engine, make_url

from entrypoints.bootstrap import Started, create_first_admin, load_settings, start
from unite_core import Actor, NewCallTask, NewLead, NewUser, Role

PASSWORD = "correct horse battery"
ADMIN = {"UNITE_ADMIN_EMAIL": "admin@example.com", "UNITE_ADMIN_PASSWORD": PASSWORD}
MANAGERS_PHONE = "+12125550100"
LEADS = 50
"""How many leads the tasks are about. Each has many tasks, because calls are measured, not leads."""


@contextmanager
def database(server: str, name: str) -> Iterator[URL]:
    """Create an empty database of that name on the server, and drop it afterwards."""
    url = make_url(server).set(drivername="mysql+pymysql", database=None)
    root = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with root.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}")
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        yield url.set(database=name)
        with root.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}")
    finally:
        root.dispose()


def environment(folder: Path, url: URL, **further: str) -> dict[str, str]:
    """Return the environment variables of an installation with that folder and database."""
    text = url.set(drivername="mysql").render_as_string(hide_password=False)
    return {"UNITE_DATA_DIR": str(folder), "UNITE_DATABASE_URL": text, "UNITE_RATE_LIMIT": "0", **ADMIN, **further}


@contextmanager
def started_unite(variables: Mapping[str, str]) -> Iterator[Started]:
    """Start Unite with those environment variables in this process."""
    with start(load_settings(variables)) as started:
        yield started


def create_team(started: Started) -> tuple[Actor, Actor]:
    """Create a manager with a phone, and an agent."""
    ann = create_first_admin(started)
    if ann is None:
        raise RuntimeError("The database was not empty.")
    admin = Actor(user_id=ann.id, role=Role.ADMIN)
    add = started.unite.identity.create_user
    mo = NewUser(email="mo@example.com", name="Mo", role=Role.MANAGER, password=PASSWORD, phone=MANAGERS_PHONE)
    amy = NewUser(email="amy@example.com", name="Amy", role=Role.AGENT, password=PASSWORD)
    ids = [add(admin, new).id for new in (mo, amy)]
    return Actor(user_id=ids[0], role=Role.MANAGER), Actor(user_id=ids[1], role=Role.AGENT)


def create_call_tasks(started: Started, manager: Actor, agent: Actor, count: int) -> list[UUID]:
    """Create call tasks for the agent, each due in an hour; return their ids."""
    unite = started.unite
    leads = [unite.leads.add(manager, NewLead(name=f"Lead {it}", email=f"lead{it}@example.com")) for it in range(LEADS)]
    due_at = unite.clock.now() + timedelta(hours=1)
    return [
        unite.calls.create(
            manager, NewCallTask(lead_id=leads[it % LEADS].id, due_at=due_at, assigned_to=agent.user_id)
        ).task.id
        for it in range(count)
    ]
