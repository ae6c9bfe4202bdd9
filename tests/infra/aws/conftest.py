"""Fixtures for tests of AWS templates: one deployment of all stacks on moto."""

from collections.abc import Generator

import pytest
from moto.server import ThreadedMotoServer

from tests.infra.aws.additions import client
from tests.infra.aws.deploying import Deployment, aws, deploy
from tests.infra.aws.templates import BLUE_GREEN, sources


@pytest.fixture(scope="session")
def deployment() -> Generator[Deployment]:
    """Deploy all stacks on moto, in this process, with two groups of API instances."""
    with aws():
        yield deploy(sources(), BLUE_GREEN)


@pytest.fixture(scope="session")
def aws_server(deployment: Deployment) -> Generator[str]:
    """Return the URL of the deployment for other programs."""
    assert deployment.exports
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def open_buckets(deployment: Deployment) -> Generator[None]:
    """Return the deployed buckets without their policies, because moto ignores the condition of a denial."""
    s3 = client("s3")
    names = (deployment.export("ImportsBucket"), deployment.export("ImagesBucket"))
    policies = {name: s3.get_bucket_policy(Bucket=name)["Policy"] for name in names}
    for name in names:
        s3.delete_bucket_policy(Bucket=name)
    yield
    for name, policy in policies.items():
        s3.put_bucket_policy(Bucket=name, Policy=policy)
