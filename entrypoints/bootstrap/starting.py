"""Load the settings, and start the application with its adapters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from adapters.argon2 import Argon2Passwords
from adapters.jwt import COOKIE_AUDIENCE, JwtTokens
from adapters.key_derivation import derive_keys
from adapters.local.message_file import FILE as MESSAGES
from adapters.local.message_file import PREVIOUS_FILE as PREVIOUS_MESSAGES
from adapters.local.wake_up_pipe import PIPE, LocalJobs
from adapters.local.worker_queues import LocalQueues
from adapters.sql.health import health_check
from adapters.sql.unit_of_work import Outbox, SqlUnitOfWorkFactory
from adapters.system_clock import SystemClock
from adapters.uuid7 import Uuid7Ids
from entrypoints.api_links import ApiLinks
from entrypoints.bootstrap import optional_servers
from entrypoints.bootstrap.data_folder import locked, make_private, make_tree_private
from entrypoints.bootstrap.database import database_url, open_migrated
from entrypoints.bootstrap.destinations import FURTHER, Factory, health_of, make_destinations
from entrypoints.bootstrap.optional_servers import Dependency, OptOuts, Signatures
from entrypoints.bootstrap.refusal import StartRefused
from entrypoints.bootstrap.tracing import require_packages, trace_database
from entrypoints.bootstrap.waiting import warn_if_slow
from entrypoints.correlation import correlation_id
from entrypoints.keys import FILE as KEYS_FILE
from entrypoints.keys import load_or_create_keys
from entrypoints.settings import FILE, Scope, Settings, SettingsRefused, read_settings, secret_location
from entrypoints.settings.variables import ALL, JWT_KEYS, SECRETS_ARN
from entrypoints.tracing import no_traceparent
from unite_core.application import Ports, Rules, Unite, build
from unite_core.errors import Unavailable, UniteError
from unite_core.files import Files, SignedFiles
from unite_core.identity.model import COOKIE_TTL, Actor, Role, User
from unite_core.identity.ports import UserFilter
from unite_core.identity.use_cases import NewUser
from unite_core.jobs import Jobs
from unite_core.notifications.subscriptions import BUILT_IN
from unite_core.paging import PageRequest
from unite_core.phone import PhonePolicy

# Imported where they are built, as in `optional_servers`: their libraries take long to load.
if TYPE_CHECKING:
    from adapters.aws.sqs import SqsUploadNotices
    from adapters.otel.tracing import OtelTracing
    from adapters.rq.worker import RqQueues

FILES = "files"

OPERATOR = Actor.system()
"""The actor of commands on the machine itself, whose user can read and change all data anyway."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """The started application, and what the entrypoints need beside it. Close it, or use it as a context manager.

    `files` is the storage that `unite` uses; `signed_files` serves its links if the service itself is the storage, and
    `notices` receives notifications of uploads if S3 is the storage and a queue is configured. The first of the
    `cursor_secrets` signs. `webhook_signatures` verifies the webhooks of the text message provider, and
    `opt_outs` reads its opt-outs; None without one.
    `dependencies` are the dependencies of Unite by name. `queues` are the queues in Redis from which a worker gets
    jobs; None without Redis. `open_local_queues` opens the queues inside the process of a worker, which `wake` wakes;
    it raises `StartRefused` if it cannot. `tracing` is that of the process; None if it is not traced.
    """

    unite: Unite
    settings: Settings
    files: Files
    signed_files: SignedFiles | None
    notices: "SqsUploadNotices | None"
    cursor_secrets: tuple[bytes, ...]
    webhook_signatures: Signatures | None
    opt_outs: OptOuts | None
    dependencies: Mapping[str, Dependency]
    queues: "RqQueues | None"
    open_local_queues: Callable[[], LocalQueues]
    wake: Callable[[], None]
    tracing: "OtelTracing | None" = None

    def close(self) -> None:
        """Close every connection."""
        for dependency in self.dependencies.values():
            dependency.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load_settings(environ: Mapping[str, str], scope: Scope = Scope.SERVICE) -> Settings:
    """Load the settings from the environment, and from the secret that it may name, for a process of this scope.

    Raises `SettingsRefused`, and `StartRefused` if the secret cannot be read.
    """
    place = secret_location(environ)
    if place is None:
        return read_settings(environ, scope)
    from adapters.aws.clients import AwsClients
    from adapters.aws.secrets_manager import read_secret

    try:
        with warn_if_slow("AWS Secrets Manager"):
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


def start(settings: Settings, *, further: Sequence[Factory] = FURTHER, tracing: "OtelTracing | None" = None) -> Started:
    """Open the data folder, open and migrate the database, and create the application with its adapters.

    Starts no thread and no process. `further` make the destinations beside the built-in ones. `tracing` is that of this
    process, if it is traced. Raises `StartRefused`.
    """
    require_packages(settings)
    folder = settings.data_dir.absolute()
    with locked(folder):
        for name in (PIPE, MESSAGES, PREVIOUS_MESSAGES):
            make_private(folder / name)
        make_tree_private(folder / FILES)
        keys = settings.jwt_keys or _stored_keys(folder)
        engine = open_migrated(database_url(settings))
    trace_database(engine, tracing)
    clock = SystemClock()
    local_jobs = LocalJobs(folder)
    traceparent = None if tracing is None else tracing.traceparent
    shared = optional_servers.shared_state(settings, clock, next(iter(derive_keys(keys, "cache").values())), tracing)
    destinations = make_destinations(settings, further)
    subscriptions = (*BUILT_IN, *(destination.subscription for destination in destinations))
    names = [subscription.name for subscription in subscriptions]
    jobs, queues = _queued(settings, shared, names, tracing) or (local_jobs, None)
    log = optional_servers.activity_stores(settings, engine, tracing)
    kept = optional_servers.file_stores(settings, clock, derive_keys(keys, "links"), FILES, tracing)
    messages = optional_servers.messages(settings, tracing)
    ports = Ports(
        work=SqlUnitOfWorkFactory(
            engine,
            outbox=Outbox(subscriptions, wake=jobs.deliver_events),
            cache=shared.cache,
            traceparent=traceparent,
        ),
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
        around_destination=None if tracing is None else tracing.around,
        topic=messages.topic,
        texts=messages.texts,
        links=ApiLinks(settings.public_url),
        destinations=destinations,
        cache=shared.cache,
    )
    database = Dependency(check=health_check(engine), required=True, close=engine.dispose)
    return Started(
        unite=build(ports, _rules(settings)),
        settings=settings,
        files=kept.files,
        signed_files=kept.signed_files,
        notices=kept.notices,
        cursor_secrets=tuple(derive_keys(keys, "cursors").values()),
        webhook_signatures=messages.signatures,
        opt_outs=messages.opt_outs,
        dependencies={
            "database": database,
            **optional_servers.disk(settings, engine.url),
            **shared.dependencies,
            **log.dependencies,
            **kept.dependencies,
            **messages.dependencies,
            **health_of(destinations),
        },
        queues=queues,
        open_local_queues=partial(_open_local_queues, local_jobs, folder / PIPE, names, tracing),
        wake=local_jobs.wake,
        tracing=tracing,
    )


def _queued(
    settings: Settings,
    shared: optional_servers.SharedState,
    destinations: Sequence[str],
    tracing: "OtelTracing | None",
) -> "tuple[Jobs, RqQueues] | None":
    """Return the producer and the consumer of the queues in Redis, one for each destination; None without Redis."""
    if shared.redis is None or settings.redis_url is None:
        return None
    from adapters.rq.jobs import RqJobs
    from adapters.rq.worker import RqQueues

    jobs = RqJobs(
        shared.redis,
        destinations=destinations,
        correlation_id=correlation_id,
        traceparent=no_traceparent if tracing is None else tracing.traceparent,
    )
    return jobs, RqQueues(settings.redis_url, jobs)


def create_first_admin(started: Started) -> User | None:
    """Add the admin from the settings; return None if they have none, or if there is an admin already.

    Raises `StartRefused` if the database is not available.
    """
    first = started.settings.first_admin
    if first is None:
        return None
    with _refused_where_unavailable():
        return started.unite.identity.ensure_first_admin(
            NewUser(email=first.email, name="Admin", role=Role.ADMIN, password=first.password)
        )


def has_admin(started: Started) -> bool:
    """Return whether there is an active admin. Raises `StartRefused` if the database does not respond."""
    active_admins = UserFilter(role=Role.ADMIN, active=True)
    with _refused_where_unavailable():
        return bool(started.unite.identity.list_users(OPERATOR, active_admins, PageRequest(limit=1)).items)


@contextmanager
def _refused_where_unavailable() -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        raise StartRefused(error.detail) from error


def _open_local_queues(
    jobs: LocalJobs, pipe: Path, destinations: Sequence[str], tracing: "OtelTracing | None"
) -> LocalQueues:
    try:
        return LocalQueues(
            jobs.listen(),
            destinations=destinations,
            correlation_id=correlation_id,
            traceparent=no_traceparent if tracing is None else tracing.traceparent,
        )
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
        quotas=settings.quotas,
    )


def _stored_keys(folder: Path) -> dict[str, bytes]:
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
