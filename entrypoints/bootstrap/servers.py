"""The servers that can take the place of the embedded parts, each by itself."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Engine

from adapters.aws.access import Access
from adapters.aws.outside import Dependency as Service
from adapters.aws.provisioning import announce_uploads, make_buckets, make_queue
from adapters.aws.s3 import Buckets, S3Files
from adapters.aws.sqs import SqsUploadNotices
from adapters.local.files import LocalFiles
from adapters.mongo.activity import MongoActivityLog
from adapters.mongo.connection import Mongo
from adapters.rate_limits import LocalRateLimits
from adapters.redis.cache import RedisCache
from adapters.redis.connection import RedisServer
from adapters.redis.rate_limits import RedisRateLimits
from adapters.sql.activity import SqlActivityLog
from entrypoints.settings import Settings
from unite_core.cache import Cache, NoCache
from unite_core.clock import Clock
from unite_core.errors import Unavailable
from unite_core.files import Files, SignedFiles
from unite_core.notifications.ports import ActivityLog
from unite_core.rate_limits import RateLimits


@dataclass(frozen=True, kw_only=True)
class Dependency:
    """Something that Unite depends on: `ask` raises `Unavailable` where it is not there.

    Without a `required` one nothing goes; without any other something is slower, or waits. `breaker` tells whether it
    is being left alone, where something watches over that.
    """

    ask: Callable[[], None]
    required: bool = False
    breaker: Callable[[], str] | None = None
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What several processes share, or what one does without it."""

    redis: RedisServer | None = None
    cache: Cache = field(default_factory=NoCache)
    limits: RateLimits
    dependencies: Mapping[str, Dependency] = field(default_factory=dict)


def shared(settings: Settings, clock: Clock) -> Shared:
    """Cache and rate limits: in Redis where one is set, and by this process alone elsewhere."""
    own = LocalRateLimits(clock)
    if settings.redis_url is None:
        return Shared(limits=own)
    server = RedisServer(settings.redis_url)
    return Shared(
        redis=server,
        cache=RedisCache(server),
        limits=RedisRateLimits(server, clock, own),
        dependencies={
            "redis": Dependency(ask=server.ping, breaker=lambda: server.state, close=server.close),
        },
    )


@dataclass(frozen=True, kw_only=True)
class Log:
    """Where the activity log is kept."""

    activity: ActivityLog
    dependencies: Mapping[str, Dependency] = field(default_factory=dict)


def log(settings: Settings, engine: Engine) -> Log:
    """The activity log: in MongoDB where one is set, in the database elsewhere."""
    if settings.mongodb_url is None:
        return Log(activity=SqlActivityLog(engine))
    mongo = Mongo(settings.mongodb_url)
    activity = MongoActivityLog(mongo, kept_for=settings.activity_kept_for)
    with suppress(Unavailable):  # it is made ready before the first delivery otherwise, which tells of what fails
        activity.prepare()
    return Log(
        activity=activity,
        dependencies={
            "mongodb": Dependency(ask=mongo.ping, breaker=lambda: mongo.breaker, close=mongo.close),
        },
    )


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Where files are kept. `signed_files` answers the links where the service itself is the storage."""

    files: Files
    signed_files: SignedFiles | None = None
    notices: SqsUploadNotices | None = None
    upkeep: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    dependencies: Mapping[str, Dependency] = field(default_factory=dict)


def kept(settings: Settings, clock: Clock, secrets: Mapping[str, bytes], folder: str) -> Kept:
    """Files: in S3 where buckets are set, and in a folder of the data folder elsewhere."""
    storage = settings.storage
    if storage is None:
        local = LocalFiles(
            settings.data_dir.absolute() / folder,
            public_url=settings.public_url,
            secrets_by_kid=secrets,
            clock=clock,
        )
        return Kept(files=local, signed_files=local, upkeep={"unfinished uploads deleted": local.remove_leftovers})
    access = Access(endpoint_url=settings.aws_endpoint_url)
    buckets = Buckets(imports=storage.imports, images=storage.images)
    files = S3Files(buckets, access=access, clock=clock, public_url=storage.public_url)
    dependencies = {"s3": Dependency(ask=files.ping, breaker=lambda: files.breaker_state)}
    notices = None
    if storage.queue_url is not None:
        notices = SqsUploadNotices(storage.queue_url, bucket=storage.imports, access=access)
        dependencies["sqs"] = Dependency(ask=notices.ping, breaker=lambda: notices.breaker_state)
    return Kept(files=files, notices=notices, dependencies=dependencies)


def provide_storage(settings: Settings) -> bool:
    """Make the buckets and the queue, where what stands in for AWS is set; whether there was anything to be made.

    In AWS itself they are made by whoever owns the account. Safe to repeat. Raises `Unavailable`.
    """
    storage, endpoint = settings.storage, settings.aws_endpoint_url
    if storage is None or endpoint is None:
        return False
    access = Access(endpoint_url=endpoint)
    with Service("What stands in for AWS").translated():
        make_buckets(Buckets(imports=storage.imports, images=storage.images), access)
        if storage.queue_url is not None:
            queue_url = make_queue(storage.queue_url.rpartition("/")[2], access)
            announce_uploads(storage.imports, queue_url, access)
    return True
