"""From settings to a Unite that works."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self
from uuid import UUID

from adapters.argon2 import Argon2Passwords
from adapters.aws.clients import AwsClients
from adapters.aws.secrets_manager import read_secret
from adapters.aws.sqs import SqsUploadNotices
from adapters.jwt import COOKIE_AUDIENCE, JwtTokens
from adapters.local.jobs import PIPE, LocalJobs, WakeUps
from adapters.rq.jobs import RqJobs
from adapters.rq.worker import RqQueues
from adapters.sql.health import health_check
from adapters.sql.unit_of_work import Outbox, SqlUnitOfWorkFactory
from adapters.system_clock import SystemClock
from adapters.uuid7 import Uuid7Ids
from entrypoints.bootstrap import servers
from entrypoints.bootstrap.data_folder import locked, make_private, make_tree_private
from entrypoints.bootstrap.database import database_url, open_migrated
from entrypoints.bootstrap.refusal import StartRefused
from entrypoints.bootstrap.servers import Dependency, Signatures
from entrypoints.bootstrap.waiting import waiting_for
from entrypoints.correlation import correlation_id
from entrypoints.environment import FILE, SettingsRefused
from entrypoints.keys import FILE as KEYS_FILE
from entrypoints.keys import derive_keys, load_or_create_keys
from entrypoints.production import Scope
from entrypoints.settings import Settings, read_settings, secret_location
from entrypoints.variables import ALL, JWT_KEYS, SECRETS_ARN
from unite_core.application import Ports, Rules, Unite, build
from unite_core.errors import Unavailable, UniteError
from unite_core.files import Files, SignedFiles
from unite_core.identity.model import COOKIE_TTL, Actor, Role, User
from unite_core.identity.ports import UserFilter
from unite_core.identity.use_cases import NewUser
from unite_core.jobs import Jobs
from unite_core.notifications.model import ACTIVITY, TEXTS, TOPIC
from unite_core.paging import PageRequest
from unite_core.phone import PhonePolicy

FILES = "files"

DESTINATIONS = (ACTIVITY, TOPIC, TEXTS)
"""Those who are told of events."""

OPERATOR = Actor(user_id=UUID(int=0), role=Role.ADMIN)
"""Whoever works at the machine itself: the data is theirs to read and to change anyway, without being a user."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """A Unite that works, and what the doors need beside it. Close it, or use it as a context manager.

    `files` are the same that `unite` uses; `signed_files` answers their links where the service itself is the storage,
    and `notices` tell of uploads where something else is and a queue is set. `cursor_secrets` begins with the one that
    signs. `webhook_signatures` knows the requests of whoever carries text messages, None where nobody does.
    `dependencies` are what Unite depends on, by name. `upkeep` is for a worker to do once a minute. `jobs` are the same
    that `unite` uses, and `queues` is where a worker gets them from; None where there is no Redis. `listen`
    makes the end at which a worker waits to be woken by `wake`, should it have no queues, or should they be away; it
    raises `StartRefused` where it cannot.
    """

    unite: Unite
    settings: Settings
    files: Files
    signed_files: SignedFiles | None
    notices: SqsUploadNotices | None
    cursor_secrets: tuple[bytes, ...]
    webhook_signatures: Signatures | None
    dependencies: Mapping[str, Dependency]
    upkeep: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    jobs: Jobs
    queues: RqQueues | None
    listen: Callable[[], WakeUps]
    wake: Callable[[], None]

    def close(self) -> None:
        """Let go of every connection."""
        for dependency in self.dependencies.values():
            dependency.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load_settings(environ: Mapping[str, str], scope: Scope = Scope.SERVICE) -> Settings:
    """The settings of the environment, and of the secret that it names, if it does; for a process of the scope.

    Raises `SettingsRefused`, and `StartRefused` where the secret cannot be read.
    """
    place = secret_location(environ)
    if place is None:
        return read_settings(environ, scope)
    try:
        with waiting_for("AWS Secrets Manager"):
            secret = read_secret(place.arn, AwsClients(endpoint_url=place.aws_endpoint_url))
    except UniteError as error:
        raise StartRefused(f"The secret that {SECRETS_ARN.name} names cannot be read: {error.detail}") from error
    given = {name: value for name, value in environ.items() if value or name.endswith(FILE)}
    given_names = {name.removesuffix(FILE) for name in given}
    further = {name: value for name, value in secret.items() if name.removesuffix(FILE) not in given_names}
    # In the environment an empty value is how programs leave a variable out. In a secret it is a value that got lost.
    empty = [setting.name for setting in ALL if not further.get(setting.name, "given").strip()]
    if empty:
        raise SettingsRefused(
            f"{name}: is empty in the secret that {SECRETS_ARN.name} names; give it a value, or take it out"
            for name in empty
        )
    return read_settings({**further, **given}, scope)


def start(settings: Settings) -> Started:
    """Open the data folder and the database, bring the database up to date, and wire everything up.

    Starts no thread and no process. Raises `StartRefused`.
    """
    folder = settings.data_dir.absolute()
    with locked(folder):
        make_private(folder / PIPE)
        make_tree_private(folder / FILES)
        keys = settings.jwt_keys or _kept_keys(folder)
        engine = open_migrated(database_url(settings))
    clock = SystemClock()
    local_jobs = LocalJobs(folder)
    shared = servers.shared_state(settings, clock, next(iter(derive_keys(keys, "cache").values())))
    jobs: Jobs = local_jobs
    if shared.redis is not None:
        jobs = RqJobs(shared.redis, destinations=DESTINATIONS, correlation_id=correlation_id)
    log = servers.activity_stores(settings, engine)
    kept = servers.file_stores(settings, clock, derive_keys(keys, "links"), FILES)
    messages = servers.messages(settings)
    ports = Ports(
        work=SqlUnitOfWorkFactory(engine, outbox=Outbox(DESTINATIONS, wake=jobs.deliver_events), cache=shared.cache),
        reads=SqlUnitOfWorkFactory(engine, reading=True),
        files=kept.files,
        jobs=jobs,
        clock=clock,
        ids=Uuid7Ids(),
        passwords=Argon2Passwords(),
        tokens=JwtTokens(keys),
        cookies=JwtTokens(derive_keys(keys, "cookies"), audience=COOKIE_AUDIENCE, ttl=COOKIE_TTL),
        limits=shared.limits,
        activity=log.activity,
        documents=log.documents,
        topic=messages.topic,
        texts=messages.texts,
        cache=shared.cache,
    )
    database = Dependency(ask=health_check(engine), required=True, close=engine.dispose)
    return Started(
        unite=build(ports, _rules(settings)),
        settings=settings,
        files=kept.files,
        signed_files=kept.signed_files,
        notices=kept.notices,
        cursor_secrets=tuple(derive_keys(keys, "cursors").values()),
        webhook_signatures=messages.signatures,
        dependencies={
            "database": database,
            **servers.disk(settings, engine.url),
            **shared.dependencies,
            **log.dependencies,
            **kept.dependencies,
            **messages.dependencies,
        },
        upkeep=kept.upkeep,
        jobs=jobs,
        queues=RqQueues(settings.redis_url, DESTINATIONS) if settings.redis_url else None,
        listen=partial(_listen, local_jobs, folder / PIPE),
        wake=local_jobs.wake,
    )


def create_first_admin(started: Started) -> User | None:
    """Add the admin whom the settings name; None where they name nobody, or there is an admin already.

    Raises `StartRefused` where the database does not take one.
    """
    first = started.settings.first_admin
    if first is None:
        return None
    with _refused_where_unavailable():
        return started.unite.identity.ensure_first_admin(
            NewUser(email=first.email, name="Admin", role=Role.ADMIN, password=first.password)
        )


def has_admin(started: Started) -> bool:
    """Whether anybody can log in who may add others. Raises `StartRefused` where the database does not answer."""
    wanted = UserFilter(role=Role.ADMIN, active=True)
    with _refused_where_unavailable():
        return bool(started.unite.identity.list_users(OPERATOR, wanted, PageRequest(limit=1)).items)


@contextmanager
def _refused_where_unavailable() -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        raise StartRefused(error.detail) from error


def _listen(jobs: LocalJobs, pipe: Path) -> WakeUps:
    try:
        return jobs.listen()
    except OSError as error:
        raise StartRefused(
            f"The wake-up pipe {pipe} cannot be opened ({error.strerror}). Let it belong to the user of the service, "
            "or delete it: it is made again."
        ) from error


def _rules(settings: Settings) -> Rules:
    phones = PhonePolicy(default_country=settings.default_country, rule=settings.phone_rule)
    return Rules(
        phones=phones,
        logins_per_minute=settings.logins_per_minute,
        activity_retention=settings.activity_retention,
        import_retention=settings.import_retention,
        missed_after=settings.missed_after,
        public_url=settings.public_url,
        quotas=settings.quotas,
    )


def _kept_keys(folder: Path) -> dict[str, bytes]:
    try:
        return load_or_create_keys(folder)
    except ValueError as error:
        raise StartRefused(
            f"The keys in the data folder are damaged: {error}. Mend the file, set {JWT_KEYS.name}, or delete the "
            "file: that logs everybody out."
        ) from error
    except OSError as error:
        raise StartRefused(
            f"The keys {folder / KEYS_FILE} cannot be used ({error.strerror}). Let the file belong to the user of the "
            f"service, and to nobody else, or set {JWT_KEYS.name}."
        ) from error
