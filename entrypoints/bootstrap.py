"""From settings to a Unite that works: the one place that knows which adapters there are."""

import fcntl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import UUID

from alembic.util.exc import CommandError
from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import DatabaseError

from adapters.argon2 import Argon2Passwords
from adapters.jwt import JwtTokens
from adapters.local.files import LocalFiles
from adapters.local.jobs import LocalJobs, WakeUps
from adapters.rate_limits import LocalRateLimits
from adapters.redis.connection import RedisServer
from adapters.rq.jobs import RqJobs
from adapters.rq.worker import RqQueues
from adapters.sql import migrate
from adapters.sql.activity import SqlActivityLog
from adapters.sql.engine import create_engine_for, ping
from adapters.sql.unit_of_work import Outbox, SqlWork
from adapters.system_clock import SystemClock
from adapters.uuid7 import Uuid7Ids
from entrypoints.correlation import correlation_id
from entrypoints.keys import derived, kept_keys
from entrypoints.settings import DATA_DIR, DATABASE_URL, JWT_KEYS, Settings
from unite_core.application import Ports, Rules, Unite, build
from unite_core.errors import Unavailable
from unite_core.files import Files, SignedFiles
from unite_core.identity.model import Actor, Role, User
from unite_core.identity.ports import UserFilter
from unite_core.identity.use_cases import NewUser
from unite_core.jobs import Jobs
from unite_core.notifications.model import ACTIVITY
from unite_core.paging import PageRequest
from unite_core.phone import PhonePolicy

DATABASE = "unite.sqlite3"
FILES = "files"
LOCK = ".lock"

DESTINATIONS = (ACTIVITY,)
"""Those who are told of events."""

OPERATOR = Actor(user_id=UUID(int=0), role=Role.ADMIN)
"""Whoever works at the machine itself: the data is theirs to read and to change anyway, without being a user."""


class StartRefused(Exception):
    """Unite cannot start here; the message says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Dependency:
    """Something that Unite works with: `check` asks whether it is there, and raises `Unavailable` where it is not.

    Without a required one the service cannot work; without any other it does. `breaker` tells the state of its circuit
    breaker, where it has one.
    """

    check: Callable[[], None]
    required: bool = True
    breaker: Callable[[], str] | None = None


@dataclass(frozen=True, kw_only=True)
class Started:
    """A Unite that works, and what the doors need beside it. Close it, or use it as a context manager.

    `files` are the same that `unite` uses; `signed_files` answers their links. `cursor_secrets` begins with the one
    that signs. `dependencies` go by their names. `upkeep` is for a worker to do once a minute. `jobs` are the same that
    `unite` uses, and `queues` is where a worker gets them from; None where there is no Redis. `listen` makes the end at
    which a worker waits to be woken by `wake`, should it have no queues, or should they be away.
    """

    unite: Unite
    settings: Settings
    files: Files
    signed_files: SignedFiles
    cursor_secrets: tuple[bytes, ...]
    dependencies: Mapping[str, Dependency]
    upkeep: Mapping[str, Callable[[], object]]
    jobs: Jobs
    queues: RqQueues | None
    listen: Callable[[], WakeUps]
    wake: Callable[[], None]
    close: Callable[[], None]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start(settings: Settings) -> Started:
    """Open the data folder and the database, bring the database up to date, and wire everything up.

    Starts no thread and no process. Raises `StartRefused`.
    """
    folder = settings.data_dir.absolute()
    with _locked(folder):
        keys = settings.jwt_keys or _kept_keys(folder)
        engine = _up_to_date(database_url(settings))
    clock = SystemClock()
    local_jobs = LocalJobs(folder)
    redis = RedisServer(settings.redis_url) if settings.redis_url else None
    jobs: Jobs = local_jobs
    if redis is not None:
        jobs = RqJobs(redis, destinations=DESTINATIONS, correlation_id=correlation_id)
    files = LocalFiles(
        folder / FILES, public_url=settings.public_url, secrets_by_kid=derived(keys, "links"), clock=clock
    )
    ports = Ports(
        work=SqlWork(engine, outbox=Outbox(DESTINATIONS, wake=jobs.deliver_events)),
        reads=SqlWork(engine, reading=True),
        files=files,
        jobs=jobs,
        clock=clock,
        ids=Uuid7Ids(),
        passwords=Argon2Passwords(),
        tokens=JwtTokens(keys),
        limits=LocalRateLimits(clock),
        activity=SqlActivityLog(engine),
    )
    return Started(
        unite=build(ports, _rules(settings)),
        settings=settings,
        files=files,
        signed_files=files,
        cursor_secrets=tuple(derived(keys, "cursors").values()),
        dependencies={
            "database": Dependency(check=lambda: ping(engine)),
            **({"redis": _of_redis(redis)} if redis is not None else {}),
        },
        upkeep={"unfinished uploads deleted": files.remove_leftovers},
        jobs=jobs,
        queues=RqQueues(settings.redis_url) if settings.redis_url else None,
        listen=local_jobs.listen,
        wake=local_jobs.wake,
        close=lambda: _close(engine, redis),
    )


def add_first_admin(started: Started) -> User | None:
    """Add the admin whom the settings name; None where they name nobody, or there is an admin already."""
    first = started.settings.first_admin
    if first is None:
        return None
    return started.unite.identity.ensure_first_admin(
        NewUser(email=first.email, name="Admin", role=Role.ADMIN, password=first.password)
    )


def has_admin(started: Started) -> bool:
    """Whether anybody can log in who may add others."""
    wanted = UserFilter(role=Role.ADMIN, active=True)
    return bool(started.unite.identity.list_users(OPERATOR, wanted, PageRequest(limit=1)).items)


def database_url(settings: Settings) -> URL:
    """The URL of the database: the one that is set, or a file in the data folder."""
    if settings.database_url is not None:
        return make_url(settings.database_url)
    # Made of its parts: the path may have characters that mean something in a URL.
    return URL.create("sqlite", database=str(settings.data_dir.absolute() / DATABASE))


def database_is_current(settings: Settings) -> bool:
    """Whether the database has exactly the tables that this version of Unite works with. Changes nothing.

    Raises `StartRefused` where there is no telling.
    """
    engine = create_engine_for(database_url(settings))
    if _is_file(engine.url) and not Path(engine.url.database or "").exists():  # asking would make the file
        return False
    try:
        return migrate.is_current(engine)
    except (Unavailable, DatabaseError) as error:
        raise _unusable(engine, error) from error
    finally:
        engine.dispose()


def _of_redis(redis: RedisServer) -> Dependency:
    return Dependency(check=redis.ping, required=False, breaker=lambda: redis.state)


def _close(engine: Engine, redis: RedisServer | None) -> None:
    engine.dispose()
    if redis is not None:
        redis.close()


def _rules(settings: Settings) -> Rules:
    phones = PhonePolicy(default_country=settings.default_country, rule=settings.phone_rule)
    return Rules(phones=phones, logins_per_minute=settings.logins_per_minute)


def _up_to_date(url: URL) -> Engine:
    engine = create_engine_for(url)
    try:
        if _is_file(url):
            _keep_to_oneself(url)
        if not migrate.is_current(engine):
            migrate.upgrade(engine)
    except CommandError as error:
        engine.dispose()
        raise StartRefused(
            f"The database is not of this version of Unite, or of one before: {error}. "
            f"Start the newer version that it was used with, or name another one in {DATABASE_URL.name}."
        ) from error
    except (Unavailable, DatabaseError, OSError) as error:
        engine.dispose()
        raise _unusable(engine, error) from error
    return engine


def _unusable(engine: Engine, error: Exception) -> StartRefused:
    why = error.orig if isinstance(error, DatabaseError) else error
    return StartRefused(f"The database {engine.url.database} cannot be used: {why}")


def _is_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _keep_to_oneself(url: URL) -> None:
    """Make the database's file, where there is none, so that nobody else can read it: it holds password hashes."""
    Path(url.database or "").touch(mode=0o600)


def _kept_keys(folder: Path) -> dict[str, bytes]:
    try:
        return kept_keys(folder)
    except ValueError as error:
        raise StartRefused(
            f"The keys in the data folder are damaged: {error}. Mend the file, set {JWT_KEYS.name}, or delete the "
            "file: that logs everybody out."
        ) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Be the only process that prepares the folder; made where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise StartRefused(
            f"The data folder {folder} cannot be written to ({error.strerror}). "
            f"Give this user the right to, or name another one in {DATA_DIR.name}."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
