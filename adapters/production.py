"""The ports of a program that imports `unite_core` and keeps its data in a database."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.argon2 import Argon2Passwords
from adapters.jwt import COOKIE_AUDIENCE, JwtTokens
from adapters.key_derivation import derive_keys
from adapters.local.files import LocalFiles
from adapters.local.message_file import MessageFile, TextMessageFile, TopicFile
from adapters.local.wake_up_pipe import LocalJobs
from adapters.rate_limits import LocalRateLimits
from adapters.sql.engine import create_engine_for
from adapters.sql.events.activity import SqlActivityLog
from adapters.sql.migrate import is_usable, upgrade
from adapters.sql.unit_of_work import Outbox, SqlUnitOfWorkFactory
from adapters.system_clock import SystemClock
from adapters.uuid7 import Uuid7Ids
from unite_core.application import Ports
from unite_core.cache import Cache, NoCache
from unite_core.clock import Clock
from unite_core.files import Files
from unite_core.identity.model import COOKIE_TTL
from unite_core.imports.ports import NoUploadNotices, UploadNotices
from unite_core.jobs import Jobs
from unite_core.notifications.ports import ActivityLog, Destination, Links, TextMessages, Topic
from unite_core.notifications.subscriptions import BUILT_IN
from unite_core.rate_limits import RateLimits
from unite_core.reports.documents import CallDocuments

__all__ = ["UrlLinks", "open_ports"]

MIN_KEY_BYTES = 32
FILES = "files"


@dataclass(frozen=True)
class UrlLinks(Links):
    """Links to call tasks and imports below a URL, which has no slash at its end."""

    url: str

    def of_call_task(self, task_id: str) -> str:
        return f"{self.url}/call-tasks/{task_id}"

    def of_import(self, import_id: str) -> str:
        return f"{self.url}/imports/{import_id}"


@contextmanager
def open_ports(
    database_url: str,
    *,
    folder: Path | str,
    keys: Mapping[str, bytes],
    url: str = "http://127.0.0.1:8000",
    migrate: bool = True,
    destinations: Sequence[Destination] = (),
    clock: Clock | None = None,
    cache: Cache | None = None,
    jobs: Jobs | None = None,
    files: Files | None = None,
    limits: RateLimits | None = None,
    activity: ActivityLog | None = None,
    documents: CallDocuments | None = None,
    topic: Topic | None = None,
    texts: TextMessages | None = None,
    links: Links | None = None,
    notices: UploadNotices | None = None,
) -> Iterator[Ports]:
    """Open the ports over a database, and close them at the end of the block.

    `database_url` is such as `sqlite:///unite.sqlite3` or `mysql://user:password@host/unite`. The database is migrated
    if it has an older schema, unless `migrate` is false. `folder` is created if it is missing; uploaded files are
    stored there. `keys` are secrets of at least 32 bytes by name: the first one signs access tokens and links, all of
    them verify. `url` is where users reach the program. `destinations` receive events, beside the built-in ones.

    Every other argument replaces an embedded adapter: files in `folder`, rate limits in this process, the activity log
    in the database, a topic and text messages that are written to `messages.jsonl` in `folder`, no cache, and no
    notices of uploads. Those of Redis, MongoDB, AWS and Twilio are in the packages of these names. Whoever gives an
    adapter closes its connections.

    Raises `ValueError` for a URL or a key that cannot be used, `unite_core.Unavailable` if the database does not
    respond, and `RuntimeError` if its schema is another one and `migrate` is false.
    """
    _check(keys)
    folder = Path(folder).absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock, cache, jobs = clock or SystemClock(), cache or NoCache(), jobs or LocalJobs(folder)
    unsent = MessageFile(folder)
    engine = create_engine_for(database_url)
    try:
        if migrate:
            _migrate(database_url)
        elif not is_usable(engine):
            raise RuntimeError(
                "The database has another schema than this version: upgrade it with sql.migrate.upgrade."
            )
        subscriptions = (*BUILT_IN, *(destination.subscription for destination in destinations))
        yield Ports(
            work=SqlUnitOfWorkFactory(engine, outbox=Outbox(subscriptions, wake=jobs.deliver_events), cache=cache),
            reads=SqlUnitOfWorkFactory(engine, reading=True),
            files=files
            or LocalFiles(folder / FILES, public_url=url, secrets_by_kid=derive_keys(keys, "links"), clock=clock),
            jobs=jobs,
            clock=clock,
            ids=Uuid7Ids(),
            passwords=Argon2Passwords(),
            tokens=JwtTokens(keys),
            cookies=JwtTokens(derive_keys(keys, "cookies"), audience=COOKIE_AUDIENCE, ttl=COOKIE_TTL),
            limits=limits or LocalRateLimits(clock),
            activity=activity or SqlActivityLog(engine),
            documents=documents,
            topic=topic or TopicFile(unsent),
            texts=texts or TextMessageFile(unsent),
            links=links or UrlLinks(url),
            destinations=destinations,
            cache=cache,
            notices=notices or NoUploadNotices(),
        )
    finally:
        engine.dispose()


def _check(keys: Mapping[str, bytes]) -> None:
    if not keys:
        raise ValueError("`keys` is empty: give it one key at least, such as secrets.token_bytes(32).")
    short = [name for name, secret in keys.items() if len(secret) < MIN_KEY_BYTES]
    if short:
        raise ValueError(f"These `keys` have less than {MIN_KEY_BYTES} bytes: {', '.join(short)}.")


def _migrate(database_url: str) -> None:
    """Migrate the database, without a timeout for the statements: those on large tables take long."""
    engine = create_engine_for(database_url, without_timeouts=True)
    try:
        upgrade(engine)
    finally:
        engine.dispose()
