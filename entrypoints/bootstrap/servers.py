"""The servers that can take the place of the embedded parts, each by itself."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, Engine

from adapters.aws.clients import AwsClients
from adapters.aws.guard import ServiceGuard as Service
from adapters.aws.provisioning import create_buckets, create_queue, create_topic, enable_upload_notices
from adapters.aws.s3 import Buckets, S3Files
from adapters.aws.sns import SnsTopic
from adapters.aws.sqs import SqsUploadNotices
from adapters.local.console import ConsoleTextMessages, ConsoleTopic
from adapters.local.disk import DiskSpace
from adapters.local.files import LocalFiles
from adapters.mongo.accounts import MongoAccount, grant_privileges
from adapters.mongo.activity import MongoActivityLog
from adapters.mongo.calls import MongoCallDocuments
from adapters.mongo.connection import Mongo
from adapters.rate_limits import LocalRateLimits
from adapters.redis.cache import RedisCache
from adapters.redis.connection import RedisServer
from adapters.redis.rate_limits import RedisRateLimits
from adapters.sql.activity import SqlActivityLog
from entrypoints.bootstrap.database import is_file
from entrypoints.bootstrap.refusal import StartRefused
from entrypoints.settings import Settings
from entrypoints.twilio import Twilio
from entrypoints.variables import MONGODB_SERVICE_URL, MONGODB_URL
from unite_core.cache import Cache, NoCache
from unite_core.clock import Clock
from unite_core.errors import Unavailable
from unite_core.files import Files, SignedFiles
from unite_core.notifications.ports import ActivityLog, TextMessages, Topic
from unite_core.rate_limits import RateLimits
from unite_core.reports.documents import CallDocuments


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
class SharedState:
    """What several processes share, or what one does without it."""

    redis: RedisServer | None = None
    cache: Cache = field(default_factory=NoCache)
    limits: RateLimits
    dependencies: Mapping[str, Dependency] = field(default_factory=dict)


def shared_state(settings: Settings, clock: Clock, secret: bytes) -> SharedState:
    """Cache and rate limits: in Redis where one is set, and by this process alone elsewhere.

    `secret` signs what is in the cache; processes that share it see each other's values.
    """
    own = LocalRateLimits(clock)
    if settings.redis_url is None:
        return SharedState(limits=own)
    server = RedisServer(settings.redis_url)
    return SharedState(
        redis=server,
        cache=RedisCache(server, secret=secret, clock=clock),
        limits=RedisRateLimits(server, clock, own),
        dependencies={
            "redis": Dependency(ask=server.ping, breaker=lambda: server.state, close=server.close),
        },
    )


@dataclass(frozen=True, kw_only=True)
class ActivityStores:
    """Where the activity log is kept, and with it the documents of calls, where there are any."""

    activity: ActivityLog
    documents: CallDocuments | None = None
    dependencies: Mapping[str, Dependency] = field(default_factory=dict)


def activity_stores(settings: Settings, engine: Engine) -> ActivityStores:
    """The activity log: in MongoDB where one is set, in the database elsewhere."""
    if settings.mongodb_url is None:
        return ActivityStores(activity=SqlActivityLog(engine))
    mongo = Mongo(settings.mongodb_url)
    activity = MongoActivityLog(mongo, retention=settings.activity_retention)
    with suppress(Unavailable):  # it is made ready before the first delivery otherwise, which tells of what fails
        activity.prepare()
    return ActivityStores(
        activity=activity,
        documents=MongoCallDocuments(mongo),
        dependencies={
            "mongodb": Dependency(ask=mongo.ping, breaker=lambda: mongo.breaker, close=mongo.close),
        },
    )


def grant_log(settings: Settings) -> bool:
    """Make the account that the service works with on MongoDB; False where none is set.

    What the log is made of is brought up to date, too, for the service may not. Raises `StartRefused`.
    """
    if settings.mongodb_url is None or settings.mongodb_service_url is None:
        return False
    mongo = Mongo(settings.mongodb_url)
    try:
        MongoActivityLog(mongo, retention=settings.activity_retention).prepare()
        grant_privileges(mongo, MongoAccount.of_url(settings.mongodb_service_url))
    except (Unavailable, ValueError) as error:
        raise StartRefused(
            f"The account in {MONGODB_SERVICE_URL.name} cannot be given its rights: "
            f"{error.detail if isinstance(error, Unavailable) else error} "
            f"The one in {MONGODB_URL.name} has to be there, and to have the role userAdmin or root."
        ) from error
    finally:
        mongo.close()
    return True


@dataclass(frozen=True, kw_only=True)
class FileStores:
    """Where files are kept. `signed_files` answers the links where the service itself is the storage."""

    files: Files
    signed_files: SignedFiles | None = None
    notices: SqsUploadNotices | None = None
    upkeep: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    dependencies: Mapping[str, Dependency] = field(default_factory=dict)


def file_stores(settings: Settings, clock: Clock, secrets: Mapping[str, bytes], folder: str) -> FileStores:
    """Files: in S3 where buckets are set, and in a folder of the data folder elsewhere."""
    storage = settings.storage
    if storage is None:
        local = LocalFiles(
            settings.data_dir.absolute() / folder,
            public_url=settings.public_url,
            secrets_by_kid=secrets,
            clock=clock,
        )
        return FileStores(
            files=local, signed_files=local, upkeep={"unfinished uploads deleted": local.remove_leftovers}
        )
    access = AwsClients(endpoint_url=settings.aws_endpoint_url)
    buckets = Buckets(imports=storage.imports, images=storage.images)
    files = S3Files(buckets, access=access, clock=clock, public_url=storage.public_url)
    dependencies = {"s3": Dependency(ask=files.ping, breaker=lambda: files.breaker_state)}
    notices = None
    if storage.queue_url is not None:
        notices = SqsUploadNotices(storage.queue_url, bucket=storage.imports, access=access)
        dependencies["sqs"] = Dependency(ask=notices.ping, breaker=lambda: notices.breaker_state)
    return FileStores(files=files, notices=notices, dependencies=dependencies)


def disk(settings: Settings, database: URL) -> Mapping[str, Dependency]:
    """The disks that the service writes to itself; none where database and files are elsewhere.

    None is required: what is there can still be read.
    """
    folders = set()
    if settings.storage is None:
        folders.add(settings.data_dir.absolute())
    if is_file(database):
        folders.add(Path(database.database or "").absolute().parent)
    spaces = [DiskSpace(folder) for folder in sorted(folders)]

    def ask() -> None:
        for space in spaces:
            space.ask()

    return {"disk": Dependency(ask=ask)} if spaces else {}


Signatures = Callable[[str, Mapping[str, str], str], bool]
"""Whether a signature is that of whoever carries text messages: for a URL as they wrote it, and their form."""


@dataclass(frozen=True, kw_only=True)
class Messages:
    """Who carries messages; `signatures` knows what those tell us who carry text messages, where anybody does."""

    topic: Topic
    texts: TextMessages
    signatures: Signatures | None = None
    dependencies: Mapping[str, Dependency] = field(default_factory=dict)


def messages(settings: Settings) -> Messages:
    """The topic in SNS and text messages by Twilio, each where it is set, and in the log elsewhere."""
    topic: Topic = ConsoleTopic()
    texts: TextMessages = ConsoleTextMessages()
    signatures = None
    dependencies = {}
    if settings.sns_topic_arn is not None:
        topic, dependencies["sns"] = _in_sns(settings, settings.sns_topic_arn)
    if settings.twilio is not None:
        texts, signatures, dependencies["twilio"] = _by_twilio(settings.twilio, settings.public_url)
    return Messages(topic=topic, texts=texts, signatures=signatures, dependencies=dependencies)


def _in_sns(settings: Settings, arn: str) -> tuple[Topic, Dependency]:
    topic = SnsTopic(arn, access=_access_to_topic(settings, arn))
    return topic, Dependency(ask=topic.ping, breaker=lambda: topic.breaker_state)


def _by_twilio(account: Twilio, public_url: str) -> tuple[TextMessages, Signatures, Dependency]:
    # Its library takes as long to load as much else together: only those who use it wait for that.
    from adapters.twilio import connection  # noqa: PLC0415 - see above
    from adapters.twilio.messages import Sender, TwilioTextMessages  # noqa: PLC0415 - see above
    from adapters.twilio.signatures import TwilioSignatures  # noqa: PLC0415 - see above

    twilio = connection.Twilio(
        connection.Account(sid=account.account_sid, auth_token=account.auth_token, base_url=account.base_url)
    )
    sender = Sender(number=account.from_number, messaging_service_sid=account.messaging_service_sid)
    return (
        TwilioTextMessages(twilio, sender=sender, public_url=public_url),
        TwilioSignatures(account.auth_token).valid,
        Dependency(ask=twilio.ping, breaker=lambda: twilio.breaker),
    )


def _access_to_topic(settings: Settings, arn: str) -> AwsClients:
    """Access to the region that the topic is in, wherever everything else is."""
    return AwsClients(endpoint_url=settings.aws_endpoint_url, region=arn.split(":")[3])


def provide_storage(settings: Settings) -> bool:
    """Make buckets, queue and topic, where what stands in for AWS is set; whether there was anything to be made.

    In AWS itself they are made by whoever owns the account. Safe to repeat. Raises `Unavailable`.
    """
    storage, arn, endpoint = settings.storage, settings.sns_topic_arn, settings.aws_endpoint_url
    if endpoint is None or (storage is None and arn is None):
        return False
    access = AwsClients(endpoint_url=endpoint)
    with Service("What stands in for AWS").translated():
        if storage is not None:
            buckets = Buckets(imports=storage.imports, images=storage.images)
            create_buckets(buckets, access, origins=_storage_origins(settings))
            if storage.queue_url is not None:
                queue_url = create_queue(storage.queue_url.rpartition("/")[2], access)
                enable_upload_notices(storage.imports, queue_url, access)
        if arn is not None:
            create_topic(arn, _access_to_topic(settings, arn))
    return True


def _storage_origins(settings: Settings) -> tuple[str, ...]:
    """The origins whose pages may send files to the storage: the service's own, and those that the settings allow."""
    if not settings.cors_origins:
        return ("*",)
    return ("/".join(settings.public_url.split("/")[:3]), *settings.cors_origins)
