"""What the doors need of tracing, which is an adapter. It is off by default, and then nothing is done for it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

WsgiApplication = Callable[..., Any]

RouteOf = Callable[[dict[str, Any]], str | None]
"""A function that returns the template of the route that a request took, given its WSGI environment after it."""


class RequestTracing(Protocol):
    """The spans of requests."""

    def traced(self, application: WsgiApplication, route_of: RouteOf) -> WsgiApplication:
        """Return a WSGI application that runs `application` in a span for each request."""
        ...


class JobTracing(Protocol):
    """The spans of jobs."""

    def job(
        self, function: str, arguments: tuple[str, ...], traceparent: str | None, *, begins_trace: bool
    ) -> AbstractContextManager[None]:
        """Run a job in a span that follows from the span `traceparent`.

        A job without one has a span of its own if it `begins_trace`, and none otherwise.
        """
        ...

    def following(self, traceparent: str | None) -> AbstractContextManager[None]:
        """Have what the block leaves to workers follow from the span `traceparent`; from none if that is None."""
        ...


class UntracedJobs:
    """Jobs without spans."""

    def job(
        self,
        function: str,  # noqa: ARG002 - the parameters of the protocol
        arguments: tuple[str, ...],  # noqa: ARG002 - the same
        traceparent: str | None,  # noqa: ARG002 - the same
        *,
        begins_trace: bool,  # noqa: ARG002 - the same
    ) -> AbstractContextManager[None]:
        """Do nothing."""
        return nullcontext()

    def following(self, traceparent: str | None) -> AbstractContextManager[None]:  # noqa: ARG002 - the same
        """Do nothing."""
        return nullcontext()


def no_traceparent() -> None:
    """Return the name of the current span where nothing is traced."""
    return
