"""Tests of the arguments of use cases: wrong types and values are refused before anything happens."""

import inspect
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

import pytest

from tests.core.boundary.values import hints_of, refused, subclasses, valid
from unite_core import (
    Actor,
    CallOutcome,
    Claim,
    Completion,
    Correction,
    Forbidden,
    ImportOptions,
    Invalid,
    LeadFilter,
    NewImage,
    NewImport,
    NewNote,
    NewUser,
    NotFound,
    PageRequest,
    Period,
    Replay,
    Role,
    UserFilter,
)
from unite_core.checks import UseCase
from unite_core.idempotency import RunOnce
from unite_core.testing.builders import an_id
from unite_core.testing.scenario import Scenario
from unite_core.use_cases import GetLead

GROUPS = ("identity", "leads", "calls", "imports", "reports", "notifications", "upkeep")


def use_cases(scenario: Scenario) -> dict[str, Any]:
    """Return every public use case, by the path at which callers find it."""
    found = {
        f"{group}.{each.name}": getattr(getattr(scenario.unite, group), each.name)
        for group in GROUPS
        for each in fields(getattr(scenario.unite, group))
    }
    found.pop("notifications.destinations")  # names
    return {**found, "once": scenario.unite.once}


USE_CASES = use_cases(Scenario())


def arguments_of(scenario: Scenario, use_case: Any) -> dict[str, Any]:
    """Return an argument for every parameter, each of its type, and of a user who may do everything."""
    hints = hints_of(type(use_case).__call__)
    if isinstance(use_case, RunOnce):
        claim = Claim(scope="5c" * 32, fingerprint="f1" * 32, holder="first")
        return {"claim": claim, "use_case": scenario.unite.leads.add, "answer": lambda _: b"", "replay": Replay(bytes)}
    return {name: scenario.admin if name == "actor" else valid(hints[name], name) for name in parameters_of(use_case)}


def parameters_of(use_case: Any) -> list[str]:
    parameters = inspect.signature(use_case).parameters.values()
    return [each.name for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]


def call(use_case: Any, arguments: dict[str, Any]) -> Any:
    """Call the use case, with arguments by position where it takes no names."""
    kinds = inspect.signature(use_case).parameters
    named = {name: value for name, value in arguments.items() if kinds[name].kind is inspect.Parameter.KEYWORD_ONLY}
    return use_case(*[value for name, value in arguments.items() if name not in named], **named)


@pytest.mark.parametrize("path", USE_CASES)
def test_every_use_case_checks_its_arguments(path: str) -> None:
    assert isinstance(USE_CASES[path], UseCase)


PARAMETERS = [
    pytest.param(path, name, id=f"{path}.{name}") for path, each in USE_CASES.items() for name in parameters_of(each)
]


@pytest.mark.parametrize(("path", "name"), PARAMETERS)
def test_an_argument_of_a_wrong_type_is_refused_before_anything_happens(path: str, name: str) -> None:
    scenario = Scenario()
    use_case = use_cases(scenario)[path]
    arguments, before = arguments_of(scenario, use_case), scenario.tables
    for value in refused(hints_of(type(use_case).__call__)[name]):
        with pytest.raises((TypeError, Invalid)) as caught:
            call(use_case, {**arguments, name: value})

        assert f"{name} has to be" in str(caught.value)
    assert scenario.tables is before


IDS = [each for each in PARAMETERS if str(each.id).endswith("_id") and "correlation" not in str(each.id)]


@pytest.mark.parametrize(("path", "name"), IDS)
def test_an_unknown_id_is_not_found_and_changes_nothing(path: str, name: str) -> None:
    scenario = Scenario()
    use_case = use_cases(scenario)[path]
    before = scenario.tables

    with pytest.raises(NotFound):
        call(use_case, {**arguments_of(scenario, use_case), name: an_id()})

    assert scenario.tables is before


LIMITED = [path for path, each in USE_CASES.items() if "limit" in parameters_of(each)]


@pytest.mark.parametrize("limit", [0, -1, 10**9])
@pytest.mark.parametrize("path", LIMITED)
def test_a_batch_size_outside_1_to_5000_is_refused(path: str, limit: int) -> None:
    scenario = Scenario()
    use_case = use_cases(scenario)[path]

    with pytest.raises(Invalid) as caught:
        call(use_case, {**arguments_of(scenario, use_case), "limit": limit})

    assert [(each.field, each.code) for each in caught.value.problems] == [("limit", "out_of_range")]


def test_use_cases_with_batch_sizes_and_ids_are_covered() -> None:
    assert {"upkeep.mark_missed", "reports.fold", "reports.overdue", "imports.due"} <= {*LIMITED}
    assert len(IDS) > 15
    assert [kind.__name__ for kind in subclasses(UseCase) if not is_dataclass(kind)] == ["UseCase"]


def test_surplus_and_unknown_arguments_raise_type_error() -> None:
    scenario = Scenario()

    with pytest.raises(TypeError, match="positional arguments"):
        scenario.unite.identity.log_out(scenario.ann, scenario.ann)  # type: ignore[call-arg]  # it is to be refused
    with pytest.raises(TypeError, match="unexpected keyword argument 'size'"):
        scenario.unite.upkeep.purge_usage(size=1)  # type: ignore[call-arg]  # it is to be refused


def test_keyword_arguments_are_checked_too() -> None:
    scenario = Scenario()

    with pytest.raises(TypeError, match="GetLead: lead_id has to be UUID, not str"):
        scenario.unite.leads.get(scenario.ann, lead_id="1")  # type: ignore[arg-type]  # it is to be refused


def test_a_naive_time_is_refused_and_never_stored() -> None:
    scenario = Scenario()
    naive = datetime(2026, 3, 2, 9)  # noqa: DTZ001 - it is to be refused
    task, before = scenario.create_call_task(), scenario.tables

    with pytest.raises(Invalid):
        scenario.create_call_task(due_at=naive)
    with pytest.raises(Invalid):
        scenario.complete(task, follow_up_at=naive)
    with pytest.raises(Invalid):
        Completion(outcome=CallOutcome.BUSY, duration_seconds=0, started_at=naive)
    with pytest.raises(Invalid):
        Correction(entry_id=an_id(), reason="It was otherwise.", started_at=naive)
    with pytest.raises(Invalid):
        LeadFilter(created_from=naive)

    assert before.tasks.keys() == scenario.tables.tasks.keys()


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AGENT])
def test_the_first_admin_must_have_the_role_admin(role: Role) -> None:
    scenario = Scenario()
    before = scenario.tables

    with pytest.raises(Invalid) as caught:
        scenario.unite.identity.ensure_first_admin(
            NewUser(email="eve@unite.example", name="Eve", role=role, password="correct horse battery")
        )

    assert [(each.field, each.code) for each in caught.value.problems] == [("role", "admin_required")]
    assert scenario.tables is before


def test_a_filter_by_an_outcome_that_is_not_one_is_refused() -> None:
    scenario = Scenario()

    with pytest.raises(Invalid) as caught:
        scenario.unite.leads.list(scenario.admin, LeadFilter(call_outcomes=frozenset({"bogus"})), PageRequest())

    assert [each.field for each in caught.value.problems] == ["call_outcomes"]
    busy = LeadFilter(call_outcomes=frozenset({"busy"}))
    assert scenario.unite.leads.list(scenario.admin, busy, PageRequest()).items == []


def test_the_system_actor_has_all_permissions_and_is_stored_as_no_author() -> None:
    scenario = Scenario()
    system = Actor.system(correlation_id="nightly")

    lead = scenario.create_lead(system, assigned_to=scenario.ann.user_id)
    task = scenario.create_call_task(lead)
    scenario.cancel(task, actor=system)

    assert (lead.created_by, scenario.ledger(task)[-1].actor_id) == (None, None)
    assert [event.actor_id for event in scenario.events() if event.correlation_id == "nightly"] == [None] * 2
    assert len(scenario.unite.identity.list_users(system, UserFilter(), PageRequest()).items) == 4


def test_the_system_actor_cannot_create_what_needs_an_author() -> None:
    scenario = Scenario()
    system, lead = Actor.system(), scenario.create_lead()
    task = scenario.create_call_task(lead)
    before = scenario.tables
    image = NewImage(lead_id=lead.id, content_type="image/png", size=1)

    for create in (
        lambda: scenario.create_call_task(lead, actor=system),
        lambda: scenario.unite.calls.note(system, NewNote(task_id=task.id, text="Ask for Grace.")),
        lambda: scenario.unite.leads.create_image(system, image),
        lambda: scenario.upload("Name,Phone\nGrace,+12125550123\n", system),
    ):
        with pytest.raises(Forbidden, match="Only a user creates this"):
            create()

    assert scenario.tables is before


def test_a_leaderboard_by_an_unknown_metric_is_refused() -> None:
    scenario = Scenario()
    day = Period(scenario.now.date(), scenario.now.date(), "UTC")

    with pytest.raises(Invalid) as caught:
        scenario.unite.reports.leaderboard(scenario.admin, day, "bogus")

    assert [(each.field, each.code) for each in caught.value.problems] == [("metric", "unknown_value")]
    assert scenario.unite.reports.leaderboard(scenario.admin, day, "completed").places == []


@pytest.mark.parametrize(
    ("columns", "codes"),
    [
        ({"Name": "nonsense"}, ["unknown_field"]),
        ({"Na\0me": "name"}, ["control_character"]),
        ({"x" * 1001: "name"}, ["too_long"]),
        ({f"Column {number}": None for number in range(1001)}, ["too_many_columns"]),
        ({"Name": "name", "Full name": "name"}, ["duplicate_mapping"]),
        ({"A": "ignore", "B": "ignore", "C": None, "Name": "name"}, []),
    ],
)
def test_columns_of_an_import_must_be_fields_of_a_lead(columns: dict[str, str | None], codes: list[str]) -> None:
    scenario = Scenario()
    new = NewImport(filename="leads.csv", size=10, options=ImportOptions(columns=columns))
    found: list[str] = []

    try:
        scenario.unite.imports.announce(scenario.admin, new)
    except Invalid as refused:
        found = [each.code for each in refused.problems]

    assert found == codes


def test_a_subclass_of_a_use_case_checks_its_arguments() -> None:
    class GetLeadForSomebody(GetLead):
        """A use case without a `__call__` of its own."""

    scenario = Scenario()

    with pytest.raises(TypeError, match="lead_id"):
        GetLeadForSomebody(scenario.ports.reads, scenario.ports.cache)(scenario.ann, "1")  # type: ignore[arg-type]  # it is to be refused
