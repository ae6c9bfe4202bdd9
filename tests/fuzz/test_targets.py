"""Every target for a few seconds: what it ever failed on, its seeds, and inputs that Hypothesis makes up."""

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.examples import examples_of
from tests.fuzz.findings import Findings
from tests.fuzz.target import CASES, Target, TooSlowError
from tests.fuzz.targets import TARGETS

EXAMPLES = 300


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_what_a_target_once_failed_on_does_no_harm(name: str) -> None:
    for case in TARGETS[name].cases():
        TARGETS[name](case.read_bytes())


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_usual_inputs_of_a_target_do_no_harm(name: str) -> None:
    seeds = list(TARGETS[name].seeds())

    assert seeds
    for seed in seeds:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_inputs_that_are_made_up_do_no_harm(name: str) -> None:
    target = TARGETS[name]

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(examples_of(target))
    def check(data: bytes) -> None:
        target(data)

    check()


def test_every_folder_of_cases_is_that_of_a_target() -> None:
    assert {folder.name for folder in CASES.iterdir()} <= TARGETS.keys()


def test_a_finding_is_stored_once_for_each_kind_of_failure(tmp_path: Path) -> None:
    def check(data: bytes) -> None:
        assert not data.startswith(b"a")
        if data.startswith(b"b"):
            raise ValueError(data)

    findings = Findings(Target(name="any", check=check, tokens=(b"a",)), tmp_path / "findings")
    reports: list[str] = []

    for data in (b"a", b"ab", b"b", b"c"):
        findings.check(data, reports.append)

    assert (findings.runs, len(findings), len(reports)) == (4, 2, 2)
    assert sorted(path.read_bytes() for path in (tmp_path / "findings").iterdir()) == [b"a", b"b"]


def test_an_input_that_takes_seconds_is_a_finding() -> None:
    def check(_: bytes) -> None:
        began = time.thread_time()
        while time.thread_time() - began < 0.2:
            pass

    target = Target(name="any", check=check, tokens=(b"a",), max_cpu_seconds=0.1)

    with pytest.raises(TooSlowError):
        target(b"a")
