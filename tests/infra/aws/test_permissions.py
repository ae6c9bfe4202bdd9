"""Tests of the AWS calls that each role may make."""

from tests.infra.aws.permissions import CALLS, differences
from tests.infra.aws.symbolic import stacks
from tests.infra.aws.templates import BLUE_GREEN, sources


def test_each_role_has_exactly_the_permissions_that_the_code_needs() -> None:
    assert list(differences(stacks(sources(), BLUE_GREEN))) == []


def test_the_table_has_allowed_and_denied_calls_of_every_role() -> None:
    roles = {call.role for call in CALLS}

    assert roles == {"api", "worker", "migrate", "build", "deploy", "github", "traffic"}
    assert {(call.role, call.allowed) for call in CALLS} == {(role, may) for role in roles for may in (True, False)}
