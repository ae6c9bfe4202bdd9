"""Tests of the end of a test run: all of its servers are stopped, and no file is left."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.servers.apt import no_service
from tests.servers.kinds import NoAnswer
from tests.servers.moto import version
from tests.service_process import TIMEOUT, eventually

WITHOUT = ("-p", "no:cacheprovider", "-p", "no:schemathesis")

USES_A_SERVER = """
import pathlib
def test_it(moto_server):
    pathlib.Path("draft").write_text(moto_server.url)
    pathlib.Path("draft").rename("url")
"""

# Until it is gone, so that this test's process is not left behind by a run that was killed.
USES_A_SERVER_FOR_LONG = f"""{USES_A_SERVER}
    import time
    from tests.servers.moto import version
    while version(moto_server.url) == "":
        time.sleep(0.05)
"""


@contextmanager
def a_run(folder: Path, body: str, *options: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """A test run of its own, with its temporary files in `folder`."""
    (folder / "conftest.py").write_text('pytest_plugins = ["tests.servers.fixtures"]\n')
    (folder / "test_it.py").write_text(body)
    (folder / "tmp").mkdir()
    # None of the service's code runs there, so that there is nothing to measure.
    foreign = ("UNITE_TEST_", "COVERAGE_", "COV_")
    named = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    given = {"PYTHONPATH": str(CHECKOUT), "TMPDIR": str(folder / "tmp"), "UNITE_TEST_SERVERS": "binaries"}
    run = subprocess.Popen(
        # As in setup.cfg, which is not read there: loading Schemathesis takes longer than the rest.
        [sys.executable, "-m", "pytest", *WITHOUT, "--rootdir", str(folder), *options, str(folder)],
        cwd=folder,
        env=named | given | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 - nothing that a thread could hold is touched
    )
    with run:
        yield run


def _hear_ctrl_c() -> None:
    # What runs in the background of a shell ignores it, and so would everything that is started from there.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def answers(url: str) -> bool:
    try:
        version(url)
    except NoAnswer:
        return False
    return True


def left(folder: Path) -> list[Path]:
    """What test runs have left of their folders."""
    return list((folder / "tmp").glob("unite-tests-*"))


@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["in one process", "in several"])
def test_a_successful_run_leaves_nothing_and_names_its_servers(tmp_path: Path, processes: tuple[str, ...]) -> None:
    with a_run(tmp_path, USES_A_SERVER, *processes) as run:
        output, _ = run.communicate(timeout=TIMEOUT)

    assert run.returncode == 0, output
    assert "moto: moto_server, a process on this machine" in output
    assert not answers((tmp_path / "url").read_text())
    assert left(tmp_path) == []


def test_the_processes_of_a_run_share_a_server(tmp_path: Path) -> None:
    body = "import pathlib, pytest\n" + "".join(
        f"def test_{number}(moto_server, worker_id):\n"
        f"    pathlib.Path('{number}-' + worker_id).write_text(moto_server.url)\n"
        for number in range(2)
    )
    with a_run(tmp_path, body, "-n", "2", "--dist", "each") as run:
        output, _ = run.communicate(timeout=TIMEOUT)

    urls = [path.read_text() for path in tmp_path.glob("?-gw?")]
    assert len(urls) == 4, output
    assert len(set(urls)) == 1


def test_a_run_that_needs_no_server_starts_none(tmp_path: Path) -> None:
    looks = "import os, pathlib\ndef test_it(): assert os.listdir(*pathlib.Path('tmp').iterdir()) == ['run.lock']\n"
    with a_run(tmp_path, looks) as run:
        output, _ = run.communicate(timeout=TIMEOUT)

    assert run.returncode == 0, output
    assert left(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("processes", [(), ("-n", "1")], ids=["in one process", "in several"])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, number: signal.Signals, processes: tuple[str, ...]) -> None:
    with a_run(tmp_path, USES_A_SERVER_FOR_LONG, *processes) as run:
        eventually((tmp_path / "url").is_file, "the test has begun")
        url = (tmp_path / "url").read_text()
        assert answers(url)

        run.send_signal(number)

        eventually(lambda: not answers(url), "its server has ended")
        eventually(lambda: not left(tmp_path), "its folder is deleted")
        run.communicate(timeout=TIMEOUT)


def test_a_test_whose_server_is_unavailable_fails_with_the_reason(tmp_path: Path) -> None:
    with a_run(tmp_path, USES_A_SERVER, UNITE_TEST_SERVERS="docker", PATH=str(tmp_path)) as run:
        output, _ = run.communicate(timeout=TIMEOUT)

    assert run.returncode == 1, output
    assert "The tests need moto, and it cannot be had." in output
    assert "docker: there is no docker command" in output
    assert "moto: not to be had" in output


def test_no_service_is_started_while_a_package_is_installed(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"

    with no_service(policy):
        assert subprocess.run([policy, "mariadb", "start"], check=False).returncode == 101

    assert not policy.exists()


def test_an_existing_policy_of_the_machine_is_left_unchanged(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("theirs")

    with no_service(policy):
        assert policy.read_text() == "theirs"

    assert policy.read_text() == "theirs"
