"""Create the adapters for optional servers, or their embedded replacements."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Engine

from adapters.local.disk import DiskSpace
from adapters.local.files import LocalFiles
from adapters.local.message_file import MessageFile, TextMessageFile, TopicFile
from adapters.rate_limits import LocalRateLimits
from adapters.sql.events.activity import SqlActivityLog
from entrypoints.bootstrap.database import is_file
from entrypoints.bootstrap.refusal import StartRefused
from entrypoints.bootstrap.tracing import aws_listener, mongodb_listeners, redis_client, twilio_transport
from entrypoints.settings import Settings, Twilio
from entrypoints.settings.variables import MONGODB_SERVICE_URL, MONGODB_URL
from unite_core.cache import Cache, NoCache
from unite_core.clock import Clock
from unite_core.errors import Unavailable
from unite_core.files import Files, SignedFiles
from unite_core.notifications.ports import ActivityLog, TextMessages, Topic
from unite_core.rate_limits import RateLimits
from unite_core.reports.documents import CallDocuments

# The adapters of servers are imported by the functions that build them: their libraries take long to load, and only an
# installation that uses such a server is to wait for that.
if TYPE_CHECKING:
    from adapters.aws.clients import AwsClients
    from adapters.aws.sqs import SqsUploadNotices
    from adapters.otel.tracing import OtelTracing
    from adapters.redis.connection import RedisServer


@dataclass(frozen=True, kw_only=True)
class Dependency:
    """A dependency of Unite: `check` raises `Unavailable` if it does not respond.

    Without a `required` dependency Unite does not work; without any other something is slower, or waits. `breaker`
    returns the state of its circuit breaker, if it has one.
    """

    check: Callable[[], None]
    required: bool = False
    breaker: Callable[[], str] | None = None
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True, kw_only=True)
class SharedState:
    """The cache and the rate limits, shared in Redis or local to the process."""

    redis: "RedisServer | None" = None
    cache: Cache = field(default_factory=NoCache)
    limits: RateLimits
    dependencies: Mapping[str, Dependency] = field(default_factory=dict)


def shared_state(settings: Settings, clock: Clock, secret: bytes, tracing: "OtelTracing | None" = None) -> SharedState:
    """Create cache and rate limits: in Redis if it is configured, otherwise local to this process.

    `secret` signs the values in the cache; processes with the same secret can read each other's values.
    """
    own = LocalRateLimits(clock)
    if settings.redis_url is None:
        return SharedState(limits=own)
    from adapters.redis.cache import RedisCache
    from adapters.redis.connection import RedisServer
    from adapters.redis.rate_limits import RedisRateLimits

    server = RedisServer(settings.redis_url, client=redis_client(tracing))
    return SharedState(
        redis=server,
        cache=RedisCache(server, secret=secret, clock=clock),
        limits=RedisRateLimits(server, clock, own),
        dependencies={
            "redis": Dependency(check=server.ping, breaker=lambda: server.breaker_state, close=server.close),
        },
    )


@dataclass(frozen=True, kw_only=True)
class ActivityStores:
    """The activity log, and the call documents if MongoDB is configured."""

    activity: ActivityLog
    documents: CallDocuments | None = None
    dependencies: Mapping[str, Dependency] = field(default_factory=dict)


def activity_stores(settings: Settings, engine: Engine, tracing: "OtelTracing | None" = None) -> ActivityStores:
    """Create the activity log: in MongoDB if it is configured, otherwise in the database."""
    if settings.mongodb_url is None:
        return ActivityStores(activity=SqlActivityLog(engine))
    from adapters.mongo.activity import MongoActivityLog
    from adapters.mongo.calls import MongoCallDocuments
    from adapters.mongo.connection import Mongo

    mongo = Mongo(settings.mongodb_url, listeners=mongodb_listeners(tracing))
    activity = MongoActivityLog(mongo, retention=settings.activity_retention)
    with suppress(Unavailable):  # otherwise the first delivery prepares it, and reports a failure
        activity.prepare()
    return ActivityStores(
        activity=activity,
        documents=MongoCallDocuments(mongo),
        dependencies={
            "mongodb": Dependency(check=mongo.ping, breaker=lambda: mongo.breaker_state, close=mongo.close),
        },
    )


def grant_mongodb_privileges(settings: Settings) -> bool:
    """Create the service's account on MongoDB; return False if none is configured.

    Collections and indexes are updated too, because the service has no right to do that. Raises `StartRefused`.
    """
    if settings.mongodb_url is None or settings.mongodb_service_url is None:
        return False
    from adapters.mongo.accounts import MongoAccount, grant_privileges
    from adapters.mongo.activity import MongoActivityLog
    from adapters.mongo.connection import Mongo

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
    """The file storage. `signed_files` serves the signed links if the service itself is the storage."""

    files: Files
    signed_files: SignedFiles | None = None
    notices: "SqsUploadNotices | None" = None
    dependencies: Mapping[str, Dependency] = field(default_factory=dict)


def file_stores(
    settings: Settings,
    clock: Clock,
    secrets: Mapping[str, bytes],
    folder: str,
    tracing: "OtelTracing | None" = None,
) -> FileStores:
    """Create the file storage: in S3 if buckets are configured, otherwise in the data folder."""
    storage = settings.storage
    if storage is None:
        local = LocalFiles(
            settings.data_dir.absolute() / folder,
            public_url=settings.public_url,
            secrets_by_kid=secrets,
            clock=clock,
        )
        return FileStores(files=local, signed_files=local)
    from adapters.aws.clients import AwsClients
    from adapters.aws.s3 import Buckets, S3Files
    from adapters.aws.sqs import SqsUploadNotices

    access = AwsClients(endpoint_url=settings.aws_endpoint_url, on_session=aws_listener(tracing))
    buckets = Buckets(imports=storage.imports, images=storage.images)
    files = S3Files(buckets, access=access, clock=clock, public_url=storage.public_url)
    dependencies = {"s3": Dependency(check=files.ping, breaker=lambda: files.breaker_state)}
    notices = None
    if storage.queue_url is not None:
        notices = SqsUploadNotices(storage.queue_url, bucket=storage.imports, access=access)
        dependencies["sqs"] = Dependency(check=notices.ping, breaker=lambda: notices.breaker_state)
    return FileStores(files=files, notices=notices, dependencies=dependencies)


def disk(settings: Settings, database: URL) -> Mapping[str, Dependency]:
    """Return the checks of the disks that the service writes to; empty if database and files are on servers.

    They are not required: with a full disk reading still works.
    """
    folders = set()
    if settings.storage is None:
        folders.add(settings.data_dir.absolute())
    if is_file(database):
        folders.add(Path(database.database or "").absolute().parent)
    spaces = [DiskSpace(folder) for folder in sorted(folders)]

    def check() -> None:
        for space in spaces:
            space.check()

    return {"disk": Dependency(check=check)} if spaces else {}


Signatures = Callable[[str, Mapping[str, str], str], bool]
"""A function that verifies the text message provider's signature of a URL, as it called it, and a form."""

OptOuts = Callable[[str, str | None], bool | None]
"""A function that reads an opt-out or an opt-in from a received message, and from what the provider made of it."""


@dataclass(frozen=True, kw_only=True)
class Messages:
    """The adapters for messages.

    `signatures` verifies the text message provider's webhooks, and `opt_outs` reads them, if there is a provider.
    """

    topic: Topic
    texts: TextMessages
    signatures: Signatures | None = None
    opt_outs: OptOuts | None = None
    dependencies: Mapping[str, Dependency] = field(default_factory=dict)


def messages(settings: Settings, tracing: "OtelTracing | None" = None) -> Messages:
    """Create the adapters for SNS and Twilio; each that is not configured writes to a file instead."""
    unsent = MessageFile(settings.data_dir.absolute())
    topic: Topic = TopicFile(unsent)
    texts: TextMessages = TextMessageFile(unsent)
    signatures: Signatures | None = None
    opt_outs: OptOuts | None = None
    dependencies = {}
    if settings.sns_topic_arn is not None:
        topic, dependencies["sns"] = _in_sns(settings, settings.sns_topic_arn, tracing)
    if settings.twilio is not None:
        from adapters.twilio.opt_outs import opts_out

        opt_outs = opts_out
        texts, signatures, dependencies["twilio"] = _by_twilio(settings.twilio, settings.public_url, tracing)
    return Messages(topic=topic, texts=texts, signatures=signatures, opt_outs=opt_outs, dependencies=dependencies)


def _in_sns(settings: Settings, arn: str, tracing: "OtelTracing | None") -> tuple[Topic, Dependency]:
    from adapters.aws.sns import SnsTopic

    topic = SnsTopic(arn, access=_access_to_topic(settings, arn, tracing))
    return topic, Dependency(check=topic.ping, breaker=lambda: topic.breaker_state)


def _by_twilio(
    account: Twilio, public_url: str, tracing: "OtelTracing | None"
) -> tuple[TextMessages, Signatures, Dependency]:
    from adapters.twilio import connection
    from adapters.twilio.messages import Sender, TwilioTextMessages
    from adapters.twilio.signatures import TwilioSignatures

    twilio = connection.Twilio(
        connection.Account(sid=account.account_sid, auth_token=account.auth_token, base_url=account.base_url),
        transport=twilio_transport(tracing),
    )
    sender = Sender(number=account.from_number, messaging_service_sid=account.messaging_service_sid)
    return (
        TwilioTextMessages(twilio, sender=sender, public_url=public_url),
        TwilioSignatures(account.auth_token).valid,
        Dependency(check=twilio.ping, breaker=lambda: twilio.breaker_state),
    )


def _access_to_topic(settings: Settings, arn: str, tracing: "OtelTracing | None" = None) -> "AwsClients":
    """Return access to the region of the topic, which may differ from the region of everything else."""
    from adapters.aws.clients import AwsClients

    return AwsClients(
        endpoint_url=settings.aws_endpoint_url, region=arn.split(":")[3], on_session=aws_listener(tracing)
    )


def provide_storage(settings: Settings) -> bool:
    """Create buckets, queue and topic in a stand-in for AWS; return whether there was anything to create.

    In AWS itself the owner of the account creates them. Safe to repeat. Raises `Unavailable`.
    """
    storage, arn, endpoint = settings.storage, settings.sns_topic_arn, settings.aws_endpoint_url
    if endpoint is None or (storage is None and arn is None):
        return False
    from adapters.aws.clients import AwsClients
    from adapters.aws.guard import aws_guard
    from adapters.aws.provisioning import create_buckets, create_queue, create_topic, enable_upload_notices
    from adapters.aws.s3 import Buckets

    access = AwsClients(endpoint_url=endpoint)
    with aws_guard("What stands in for AWS", access.policy).translated():
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
    """Return the origins whose pages may upload to the storage: the service's own, and those of the settings."""
    if not settings.cors_origins:
        return ("*",)
    return ("/".join(settings.public_url.split("/")[:3]), *settings.cors_origins)
