"""Read the settings of traces: one switch, and the standard variables of OpenTelemetry.

The standard variables may be set for all programs of a machine. So they are checked only if traces are on.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from entrypoints.settings import variables as env
from entrypoints.settings.choices import Sampler, TraceExporter
from entrypoints.settings.environment_reader import Values
from entrypoints.settings.model import Traces
from entrypoints.settings.setting import Setting
from entrypoints.settings.urls import http_url

DEFAULT_ENDPOINT = "http://localhost:4318"
TRACES_PATH = "/v1/traces"
"""The path below an endpoint at which it takes traces (OTLP specification, OTLP/HTTP Request)."""

PROTOCOL = "http/protobuf"

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}")
_SHARES = {Sampler.ALWAYS_ON: 1.0, Sampler.PARENT_ON: 1.0, Sampler.ALWAYS_OFF: 0.0, Sampler.PARENT_OFF: 0.0}


def read_traces(values: Values) -> Traces | None:
    """Return the settings of traces, which have no problems; None if traces are off."""
    if values[env.TRACES] is TraceExporter.OFF:
        return None
    base = http_url(values[env.OTLP_ENDPOINT] or DEFAULT_ENDPOINT)
    sampler = _sampler(values[env.TRACES_SAMPLER] or Sampler.PARENT_ON)
    return Traces(
        endpoint=values[env.OTLP_TRACES_ENDPOINT] or base + TRACES_PATH,
        headers=_headers(values[env.OTLP_HEADERS] or ""),
        ratio=_SHARES[sampler] if sampler in _SHARES else _ratio(values[env.TRACES_SAMPLER_ARG] or "1"),
    )


def trace_problems(values: Values) -> Iterator[str]:
    """Find the variables that cannot be used, if traces are on."""
    if values[env.TRACES] is TraceExporter.OFF:
        return
    for setting, parse in _PARSERS.items():
        text = values[setting]
        if text is None:
            continue
        try:
            parse(text)
        except ValueError as error:
            yield f"{setting}: {error}"


def _protocol(text: str) -> str:
    if text != PROTOCOL:
        raise ValueError(f"is not {PROTOCOL}, the only protocol here")
    return text


def _sampler(text: str) -> Sampler:
    try:
        return Sampler(text)
    except ValueError:
        raise ValueError(f"is none of {', '.join(Sampler)}") from None


def _ratio(text: str) -> float:
    try:
        ratio = float(text)
    except ValueError:
        ratio = math.nan
    if not 0 <= ratio <= 1:
        raise ValueError("is not a number from 0 to 1")
    return ratio


def _headers(text: str) -> Mapping[str, str]:
    """Parse headers as the SDKs of OpenTelemetry do: the format of W3C Baggage without properties."""
    headers: dict[str, str] = {}
    for position, entry in enumerate(text.split(",") if text else (), start=1):
        name, sign, value = entry.partition("=")
        decoded = unquote(value).strip()
        if not sign or not _HEADER_NAME.fullmatch(name.strip()) or not decoded.isascii() or not decoded.isprintable():
            raise ValueError(f"entry {position} is not like name=value, percent-encoded")
        headers[name.strip()] = decoded
    return headers


_PARSERS: Mapping[Setting[Any], Callable[[str], object]] = {
    env.OTLP_ENDPOINT: http_url,
    env.OTLP_TRACES_ENDPOINT: http_url,
    env.OTLP_PROTOCOL: _protocol,
    env.OTLP_HEADERS: _headers,
    env.TRACES_SAMPLER: _sampler,
    env.TRACES_SAMPLER_ARG: _ratio,
}
