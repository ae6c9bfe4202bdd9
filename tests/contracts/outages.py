"""Outages of servers, simulated where the libraries of their clients send to the network."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest
import requests
from botocore.exceptions import EndpointConnectionError
from botocore.httpsession import URLLib3Session
from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError


@contextmanager
def redis_unreachable() -> Iterator[None]:
    """Let every command to Redis fail inside the block."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise RedisConnectionError("Connection refused.")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "send_packed_command", "read_response"):
            patch.setattr(AbstractConnection, name, fail)
        yield


@contextmanager
def aws_unreachable() -> Iterator[None]:
    """Let every request to AWS fail inside the block."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise EndpointConnectionError(endpoint_url="https://aws.example")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(URLLib3Session, "send", fail)
        yield


@contextmanager
def twilio_unreachable() -> Iterator[None]:
    """Let every request to Twilio fail inside the block."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise requests.ConnectionError("Connection refused.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.adapters.HTTPAdapter, "send", fail)
        yield
