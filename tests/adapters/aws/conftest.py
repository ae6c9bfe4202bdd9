"""Fixtures for AWS adapters: buckets for each test, on a shared moto server."""

import pytest

from adapters.aws.clients import AwsClients
from adapters.aws.provisioning import create_buckets
from adapters.aws.s3 import Buckets, S3Files
from adapters.system_clock import SystemClock
from tests.adapters.aws.moto import access_to
from tests.servers.moto import a_bucket_name


@pytest.fixture
def access(aws_url: str) -> AwsClients:
    return access_to(aws_url)


@pytest.fixture
def buckets(access: AwsClients) -> Buckets:
    buckets = Buckets(imports=a_bucket_name(), images=a_bucket_name())
    create_buckets(buckets, access)
    return buckets


@pytest.fixture
def files(buckets: Buckets, access: AwsClients) -> S3Files:
    return S3Files(buckets, access=access, clock=SystemClock())
