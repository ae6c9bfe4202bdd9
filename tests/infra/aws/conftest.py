"""One deployment of all stacks, for all tests that look at what came of it."""

from collections.abc import Generator

import pytest
from moto.server import ThreadedMotoServer

from tests.infra.aws.additions import client
from tests.infra.aws.deploying import Deployment, aws, deploy
from tests.infra.aws.templates import BLUE_GREEN, sources


@pytest.fixture(scope="session")
def deployment() -> Generator[Deployment]:
    """All stacks on moto, in this process, with two groups of the API."""
    with aws():
        yield deploy(sources(), BLUE_GREEN)


@pytest.fixture(scope="session")
def aws_server(deployment: Deployment) -> Generator[str]:
    """The URL by which other programs reach what was deployed."""
    assert deployment.exports
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def open_buckets(deployment: Deployment) -> Generator[None]:
    """The deployed buckets without their policies: moto takes a denial with a condition for one without."""
    s3 = client("s3")
    names = (deployment.export("ImportsBucket"), deployment.export("ImagesBucket"))
    policies = {name: s3.get_bucket_policy(Bucket=name)["Policy"] for name in names}
    for name in names:
        s3.delete_bucket_policy(Bucket=name)
    yield
    for name, policy in policies.items():
        s3.put_bucket_policy(Bucket=name, Policy=policy)
