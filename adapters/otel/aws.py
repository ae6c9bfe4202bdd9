"""Spans of calls to AWS services (semantic conventions for the AWS SDK), by the events of botocore.

They name the operation, and neither keys of files nor messages.
"""

from typing import Any

from boto3.session import Session
from botocore.model import OperationModel
from opentelemetry.semconv.attributes.http_attributes import HTTP_RESPONSE_STATUS_CODE
from opentelemetry.trace import Span, SpanKind

from adapters.otel.spans import CallSpans, fail

_SPAN = "unite.span"
_TOPIC = "unite.topic"
_MESSAGES = "unite.messages"


def trace_calls(session: Session, spans: CallSpans) -> None:
    """Have the calls of all clients recorded that the session creates from now on."""
    _AwsSpans(spans).listen(session)


class _AwsSpans:
    """`context` is what botocore hands to all events of one call."""

    def __init__(self, spans: CallSpans) -> None:
        self._spans = spans

    def listen(self, session: Session) -> None:
        session.events.register("before-parameter-build.sns.PublishBatch", self._publishing)
        session.events.register("before-call", self._before)
        session.events.register("after-call", self._after)
        session.events.register("after-call-error", self._failed)

    def _publishing(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context[_TOPIC] = str(params.get("TopicArn", "")).rpartition(":")[2]
        context[_MESSAGES] = len(params.get("PublishBatchRequestEntries", ()))

    def _before(self, model: OperationModel, context: dict[str, Any], **_: Any) -> None:
        if not self._spans.is_due():
            return
        name = f"{model.service_model.service_id}/{model.name}"
        attributes: dict[str, str | int] = {"rpc.system.name": "aws-api", "rpc.method": name}
        region = context.get("client_region")
        if region:
            attributes["cloud.region"] = region
        topic = context.get(_TOPIC)
        if topic is None:
            context[_SPAN] = self._spans.start(name, attributes)
            return
        attributes |= {
            "messaging.system": "aws.sns",
            "messaging.operation.name": model.name,
            "messaging.operation.type": "send",
            "messaging.destination.name": topic,
            "messaging.batch.message_count": context[_MESSAGES],
        }
        context[_SPAN] = self._spans.start(name, attributes, SpanKind.PRODUCER)

    def _after(self, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        span: Span | None = context.pop(_SPAN, None)
        if span is None:
            return
        response = parsed.get("ResponseMetadata", {})
        status = response.get("HTTPStatusCode")
        if status is not None:
            span.set_attribute(HTTP_RESPONSE_STATUS_CODE, status)
        if response.get("RequestId"):
            span.set_attribute("aws.request_id", response["RequestId"])
        code = parsed.get("Error", {}).get("Code")
        if code is not None:
            fail(span, str(code))
        span.end()

    def _failed(self, exception: Exception, context: dict[str, Any], **_: Any) -> None:
        span: Span | None = context.pop(_SPAN, None)
        if span is not None:
            fail(span, type(exception).__name__)
            span.end()
