"""Buckets of its own for each test, on the moto server that all of them share."""

import pytest

from adapters.aws.access import Access
from adapters.aws.provisioning import make_buckets
from adapters.aws.s3 import Buckets, S3Files
from adapters.system_clock import SystemClock
from tests.adapters.aws.moto import access_to
from tests.servers.moto import a_bucket_name


@pytest.fixture
def access(aws_url: str) -> Access:
    return access_to(aws_url)


@pytest.fixture
def buckets(access: Access) -> Buckets:
    buckets = Buckets(imports=a_bucket_name(), images=a_bucket_name())
    make_buckets(buckets, access)
    return buckets


@pytest.fixture
def files(buckets: Buckets, access: Access) -> S3Files:
    return S3Files(buckets, access=access, clock=SystemClock())
