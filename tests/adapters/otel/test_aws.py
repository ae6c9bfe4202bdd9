"""Spans of calls to AWS: the operation, without keys and messages."""

from functools import partial

import pytest

from adapters.aws.clients import AwsClients
from adapters.aws.sns import SnsTopic
from adapters.otel.aws import trace_calls
from tests.adapters.aws.moto import access_to
from tests.adapters.aws.topics import listened_to
from tests.adapters.otel.conftest import Traced
from tests.service_process import free_port
from unite_core.errors import Unavailable
from unite_core.testing.contracts.messages import a_topic_message


def access_at(url: str, traced: Traced) -> AwsClients:
    known = access_to(url)
    return AwsClients(
        endpoint_url=url,
        region="us-east-1",
        key_id=known.key_id,
        secret_key=known.secret_key,
        on_session=partial(trace_calls, spans=traced.tracing.calls),
    )


def test_messages_that_are_published_together_are_one_span(aws_url: str, traced: Traced) -> None:
    topic = listened_to(access_to(aws_url))
    messages = [a_topic_message("call_task.completed"), a_topic_message("lead.created")]

    with traced.job():
        SnsTopic(topic.arn, access=access_at(aws_url, traced)).publish(messages)

    job, published = traced.spans()
    assert (published.name, published.kind, published.parent) == ("SNS/PublishBatch", "producer", job.id)
    assert published.attributes == {
        "aws.request_id": published.attributes["aws.request_id"],
        "rpc.system.name": "aws-api",
        "rpc.method": "SNS/PublishBatch",
        "cloud.region": "us-east-1",
        "http.response.status_code": 200,
        "messaging.system": "aws.sns",
        "messaging.operation.name": "PublishBatch",
        "messaging.operation.type": "send",
        "messaging.destination.name": topic.arn.rpartition(":")[2],
        "messaging.batch.message_count": 2,
    }


def test_a_call_that_is_refused_says_with_which_code(aws_url: str, traced: Traced) -> None:
    s3 = access_at(aws_url, traced).s3()

    with traced.job(), pytest.raises(s3.exceptions.NoSuchBucket):
        s3.get_object(Bucket="nobody-has-this", Key="pictures/ann@example.com.png")

    (refused,) = traced.calls()
    assert (refused.name, refused.kind, refused.failed) == ("S3/GetObject", "client", True)
    assert refused.attributes["error.type"] == "NoSuchBucket"
    assert refused.attributes["http.response.status_code"] == 404
    assert b"ann@" not in traced.sent()


def test_a_call_without_an_answer_says_by_what_kind_of_error(traced: Traced) -> None:
    access = access_at(f"http://127.0.0.1:{free_port()}", traced)
    topic = SnsTopic("arn:aws:sns:us-east-1:123456789012:unite", access=access)

    with traced.job(), pytest.raises(Unavailable):
        topic.ping()

    (failed,) = traced.calls()
    assert (failed.name, failed.failed) == ("SNS/GetTopicAttributes", True)
    assert failed.attributes["error.type"] == "EndpointConnectionError"


def test_outside_of_a_span_calls_have_none(aws_url: str, traced: Traced) -> None:
    access_at(aws_url, traced).s3().list_buckets()

    assert traced.spans() == []
