"""Run one target by Hypothesis for some seconds: python -m tests.fuzz.by_examples TARGET SECONDS FINDINGS."""

import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.examples import examples_of
from tests.fuzz.findings import Findings
from tests.fuzz.targets import TARGETS

_EXAMPLES_PER_ROUND = 2_000


def run(name: str, seconds: float, folder: Path) -> int:
    """Generate inputs until the time is over; return 1 if one of them fails."""
    target = TARGETS[name]
    findings = Findings(target, folder)

    @settings(
        max_examples=_EXAMPLES_PER_ROUND,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(examples_of(target))
    def check(data: bytes) -> None:
        if time.monotonic() < end:
            findings.check(data)

    end = time.monotonic() + seconds
    for data in target.corpus():
        findings.check(data)
    while time.monotonic() < end:
        check()
    print(f"{name}: {findings.runs:,} inputs of Hypothesis, {len(findings)} findings", flush=True)
    return 1 if len(findings) else 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])))
