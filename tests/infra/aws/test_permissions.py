from tests.infra.aws.permissions import CALLS, differences
from tests.infra.aws.symbolic import stacks
from tests.infra.aws.templates import BLUE_GREEN, sources


def test_each_role_may_do_what_the_code_does_and_nothing_else_of_the_table() -> None:
    assert list(differences(stacks(sources(), BLUE_GREEN))) == []


def test_the_table_has_calls_of_every_role_that_are_allowed_and_that_are_denied() -> None:
    roles = {call.role for call in CALLS}

    assert roles == {"api", "worker", "migrate", "build", "deploy", "github", "traffic"}
    assert {(call.role, call.allowed) for call in CALLS} == {(role, may) for role in roles for may in (True, False)}
