"""Tests of the search for a test server: URL, Docker, then binaries; or an error with everything that was tried."""

import pytest

from tests.servers.finding import CannotBeHad, NotFound, Ways, allowed, find, with_the_named_one
from tests.servers.kinds import NoAnswer, Server, ServerKind


def version(url: str) -> str:
    if url != "fax://there":
        raise NoAnswer("nobody picks up")
    return "1.2"


FAX = ServerKind(
    name="Fax",
    service="fax",
    container_port=1,
    variable="UNITE_TEST_FAX_URL",
    url="fax://{port}",
    version=version,
    programs=[],
    package="fax-server",
)
BY_DOCKER = Server("fax://docker", "Fax, a container")
BY_BINARY = Server("fax://binary", "Fax, a process")


def no_engine(kind: ServerKind) -> Server:
    raise CannotBeHad(f"no engine runs {kind.service}")


def no_binary(kind: ServerKind) -> Server:
    raise CannotBeHad(f"{kind.service} is not installed")


BOTH: Ways[Server] = {"docker": lambda _: BY_DOCKER, "binaries": lambda _: BY_BINARY}
ONE: Ways[Server] = {"docker": no_engine, "binaries": lambda _: BY_BINARY}
NONE: Ways[Server] = {"docker": no_engine, "binaries": no_binary}


def server_by(ways: Ways[Server], heard: list[str] | None = None, **environment: str) -> Server:
    messages: list[str] = [] if heard is None else heard
    return find(FAX, with_the_named_one(FAX, ways, environment), messages.append)


def test_docker_takes_precedence_over_binaries() -> None:
    assert server_by(BOTH) == BY_DOCKER


def test_without_docker_binaries_are_used_and_the_reason_is_shown() -> None:
    heard: list[str] = []

    assert server_by(ONE, heard) == BY_BINARY
    assert heard == ["Fax cannot be had in the way of docker: no engine runs fax"]


def test_a_url_in_the_environment_takes_precedence_over_everything() -> None:
    server = server_by(BOTH, UNITE_TEST_FAX_URL="fax://there", UNITE_TEST_SERVERS="docker")

    assert server == Server("fax://there", "Fax 1.2, named by UNITE_TEST_FAX_URL")


def test_a_url_that_does_not_respond_is_an_error() -> None:
    with pytest.raises(NotFound, match="UNITE_TEST_FAX_URL: no answer from there: nobody picks up"):
        server_by(BOTH, UNITE_TEST_FAX_URL="fax://gone")


def test_an_empty_url_is_ignored() -> None:
    assert server_by(BOTH, UNITE_TEST_FAX_URL="", UNITE_TEST_SERVERS="") == BY_DOCKER


def test_the_environment_can_force_binaries() -> None:
    assert server_by(BOTH, UNITE_TEST_SERVERS="binaries") == BY_BINARY


def test_a_forced_way_that_is_unavailable_is_an_error() -> None:
    with pytest.raises(NotFound) as caught:
        server_by(ONE, UNITE_TEST_SERVERS="docker")

    assert "docker: no engine runs fax" in str(caught.value)
    assert "binaries:" not in str(caught.value)


def test_an_unknown_way_cannot_be_forced() -> None:
    with pytest.raises(NotFound, match="UNITE_TEST_SERVERS is 'podman'; it may be binaries or docker"):
        allowed(BOTH, {"UNITE_TEST_SERVERS": "podman"})


def test_the_error_for_a_missing_server_lists_what_was_tried_and_what_to_do() -> None:
    with pytest.raises(NotFound) as caught:
        server_by(NONE)

    said = str(caught.value)
    assert said.startswith("The tests need Fax, and it cannot be had.")
    assert "docker: no engine runs fax" in said
    assert "binaries: fax is not installed" in said
    assert "UNITE_TEST_FAX_URL" in said
    assert "fax-server" in said
