"""AWS on this machine: one moto server for all tests, and buckets of its own for each."""

from collections.abc import Iterator

import pytest

from adapters.aws.access import Access
from adapters.aws.provisioning import make_buckets
from adapters.aws.s3 import Buckets, S3Files
from adapters.system_clock import SystemClock
from tests.adapters.aws.moto import Moto, access_to
from unite_core.testing.builders import an_id


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    moto = Moto()
    moto.start()
    yield moto.url
    moto.stop()


@pytest.fixture(scope="session")
def access(aws_url: str) -> Access:
    return access_to(aws_url)


@pytest.fixture
def buckets(access: Access) -> Buckets:
    buckets = Buckets(imports=f"imports-{an_id()}", images=f"images-{an_id()}")
    make_buckets(buckets, access)
    return buckets


@pytest.fixture
def files(buckets: Buckets, access: Access) -> S3Files:
    return S3Files(buckets, access=access, clock=SystemClock())
