"""Tests of every fuzz target for a few seconds: former failures, seeds, and generated inputs."""

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
def test_former_failures_of_a_target_pass(name: str) -> None:
    for case in TARGETS[name].cases():
        TARGETS[name](case.read_bytes())


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_seeds_of_a_target_pass(name: str) -> None:
    seeds = list(TARGETS[name].seeds())

    assert seeds
    for seed in seeds:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_generated_inputs_pass(name: str) -> None:
    target = TARGETS[name]

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(examples_of(target))
    def check(data: bytes) -> None:
        target(data)

    check()


def test_every_folder_of_cases_belongs_to_a_target() -> None:
    assert {folder.name for folder in CASES.iterdir()} <= TARGETS.keys()


def test_one_finding_is_stored_per_kind_of_failure(tmp_path: Path) -> None:
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


def test_a_very_slow_input_is_a_finding() -> None:
    def check(_: bytes) -> None:
        began = time.thread_time()
        while time.thread_time() - began < 0.2:
            pass

    target = Target(name="any", check=check, tokens=(b"a",), max_cpu_seconds=0.1)

    with pytest.raises(TooSlowError):
        target(b"a")
