"""Routes for health checks: liveness and readiness."""

import time
from typing import Any

from flask import Response

from entrypoints.http.config import HealthCheck
from entrypoints.http.framework.context import http_config, unite
from entrypoints.http.framework.errors import RETRY_UNAVAILABLE_AFTER
from entrypoints.http.framework.json_responses import json_response
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from unite_core.errors import Unavailable
from unite_core.notifications.use_cases.deliveries import MAX_COUNTED

operations = OperationGroup("health", "Health checks for load balancers and monitoring.")

_LIVE_SCHEMA = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"type": "string", "enum": ["ok"]}},
}
_READY_SCHEMA = {
    "type": "object",
    "required": ["status", "checks", "dead_letters"],
    "properties": {
        "status": {"type": "string", "enum": ["ok", "degraded", "down"]},
        "checks": {
            "type": "object",
            "description": "Each dependency by its name; `shutdown` alone where the process is about to stop.",
            "additionalProperties": {
                "type": "object",
                "required": ["status", "latency_ms"],
                "properties": {
                    "status": {
                        "type": "string",
                        "enum": ["ok", "degraded", "down"],
                        "description": "`degraded`: it does not respond, and the service works without it.",
                    },
                    "latency_ms": {"type": "number", "minimum": 0},
                    "breaker": {
                        "type": "string",
                        "enum": ["closed", "open", "half_open"],
                        "description": "`open`: it failed several times in a row and is not called for a while. This "
                        "is the breaker of the process that answers; each worker has its own.",
                    },
                },
            },
        },
        "dead_letters": {
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": MAX_COUNTED,
            "description": "The number of dead deliveries of events, counted up to "
            f"{MAX_COUNTED:,}: `GET /v1/deliveries?status=dead` lists them. It does not affect readiness; null if the "
            "database does not respond.",
        },
    },
}
_READY_EXAMPLE = {
    "status": "degraded",
    "checks": {
        "database": {"status": "ok", "latency_ms": 0.4},
        "redis": {"status": "degraded", "latency_ms": 0.1, "breaker": "open"},
    },
    "dead_letters": 0,
}
_SHUTDOWN = "shutdown"
_DOWN_EXAMPLE = {
    "status": "down",
    "checks": {"database": {"status": "down", "latency_ms": 5000.1}},
    "dead_letters": None,
}


@operations.operation(
    "GET",
    "/health/live",
    description="Responds as long as the process runs; checks no dependency. A process that stops closes the "
    "connection without a response.",
    public=True,
    limited=False,
    responses=[ResponseDoc(status=200, schema=_LIVE_SCHEMA, example={"status": "ok"})],
)
def live() -> Response:
    """Check liveness."""
    return json_response({"status": "ok"})


@operations.operation(
    "GET",
    "/health/ready",
    description="Checks every dependency. Without an optional one the service is `degraded`, and still ready. "
    "A process that is about to stop is `down`, with the check `shutdown` alone, and still serves other requests.",
    public=True,
    limited=False,
    responses=[
        ResponseDoc(status=200, schema=_READY_SCHEMA, example=_READY_EXAMPLE, description="Ready, or degraded."),
        ResponseDoc(
            status=503,
            schema=_READY_SCHEMA,
            example=_DOWN_EXAMPLE,
            description="A required dependency is down, or the process stops.",
        ),
    ],
)
def ready() -> Response:
    """Check readiness."""
    if http_config().draining.is_set():
        return _not_ready({_SHUTDOWN: {"status": "down", "latency_ms": 0}})
    checks = {name: _run(check) for name, check in http_config().checks.items()}
    statuses = {check["status"] for check in checks.values()}
    status = next((worst for worst in ("down", "degraded") if worst in statuses), "ok")
    if status == "down":
        return _not_ready(checks)
    return json_response({"status": status, "checks": checks, "dead_letters": _dead_letters()})


def _not_ready(checks: dict[str, dict[str, Any]]) -> Response:
    content = {"status": "down", "checks": checks, "dead_letters": None}
    return json_response(content, 503, {"Retry-After": str(RETRY_UNAVAILABLE_AFTER)})


def _dead_letters() -> int | None:
    try:
        return unite().notifications.dead_letters()
    except Unavailable:
        return None


def _run(check: HealthCheck) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        check.run()
    except Unavailable:
        status = "down" if check.required else "degraded"
    else:
        status = "ok"
    result = {"status": status, "latency_ms": round((time.perf_counter() - began) * 1000, 2)}
    return result if check.breaker is None else {**result, "breaker": check.breaker()}
