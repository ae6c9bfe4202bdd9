"""Tests of `make upgrade` under load: no request fails, and an unhealthy version is rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.compose.load import under_load
from tests.compose.stack import Stack
from tests.service_process import Client, eventually

APPS, WORKERS = 2, 2
SERVE = Path("entrypoints") / "cli" / "serve.py"
MIGRATE = Path("entrypoints") / "cli" / "migrate.py"


@pytest.fixture(scope="module")
def scaled(stack: Stack) -> Iterator[Stack]:
    """The stack with more than one app and worker, as an operator has set it."""
    settings = stack.checkout / ".env"
    before = settings.read_text()
    settings.write_text(f"{before}UNITE_APPS={APPS}\nUNITE_WORKERS={WORKERS}\n")
    stack.compose("up", "--detach", "--wait")
    yield stack
    settings.write_text(before)
    stack.compose("up", "--detach", "--wait")


@contextmanager
def another_version(stack: Stack, path: Path, old: str, new: str) -> Iterator[None]:
    """The folder of the stack with a change in one file."""
    file = stack.checkout / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    try:
        yield
    finally:
        file.write_text(text)


def count(stack: Stack) -> tuple[int, int]:
    return len(stack.containers("app")), len(stack.containers("worker"))


def image_by_name(stack: Stack, name: str) -> str:
    return stack.run("docker", "image", "inspect", "--format", "{{.Id}}", name).strip()


def test_the_variables_set_the_numbers_of_apps_and_workers(scaled: Stack) -> None:
    assert count(scaled) == (APPS, WORKERS)


def test_requests_are_answered_by_another_app_after_one_is_killed(scaled: Stack, client: Client) -> None:
    with under_load(client, reads_only=True) as load:
        scaled.crash("app")
        scaled.compose("up", "--detach", "--wait", "app")

    assert load.failed == []


def test_no_requests_are_sent_to_an_app_that_does_not_respond(scaled: Stack, client: Client) -> None:
    hanging = scaled.containers("app")[0]
    scaled.run("docker", "pause", hanging)
    try:
        eventually(lambda: "No answer: " in scaled.logs("proxy"), "the proxy has noticed")

        with under_load(client) as load:
            eventually(lambda: load.sent > APPS * 8, "each app would have been sent some")
    finally:
        scaled.run("docker", "unpause", hanging)

    assert load.failed == []
    eventually(lambda: "Requests go to every app." in scaled.logs("proxy"), "the proxy sends to both again")


def test_no_request_fails_during_an_upgrade_and_a_rollback(scaled: Stack, client: Client) -> None:
    (before,) = scaled.images_of("app")
    (scaled.secrets / "aws_credentials").unlink()
    scaled.as_root("REVOKE GRANT OPTION ON unite.* FROM 'migrator'@'%'")

    with (
        another_version(scaled, SERVE, '"""The `serve` command', '"""The next `serve` command'),
        under_load(client) as load,
    ):
        done = scaled.attempt("make", "upgrade")

    assert done.returncode == 0, done.stdout + done.stderr
    assert load.failed == []
    assert load.sent > 0
    assert (scaled.secrets / "aws_credentials").exists()
    assert scaled.images_of("app") == scaled.images_of("worker") == {image_by_name(scaled, scaled.image)} != {before}
    assert image_by_name(scaled, f"{scaled.project}:previous") == before
    assert count(scaled) == (APPS, WORKERS)
    scaled.compose("up", "--detach", "--wait")
    assert count(scaled) == (APPS, WORKERS)
    with under_load(client) as load:
        back = scaled.attempt("sh", "infra/compose/upgrade.sh", "--back")
    assert back.returncode == 0, back.stdout + back.stderr
    assert load.failed == []
    assert scaled.images_of("app") == scaled.images_of("worker") == {before}


def test_an_unhealthy_version_is_rolled_back(scaled: Stack, client: Client) -> None:
    before = scaled.images_of("app")

    broken = another_version(scaled, SERVE, "    logs.configure(", "    raise SystemExit(3)\n    logs.configure(")
    with broken, under_load(client) as load:
        done = scaled.attempt("make", "upgrade")

    assert done.returncode != 0
    assert "The version before goes on." in done.stderr
    assert load.failed == []
    assert scaled.images_of("app") == scaled.images_of("worker") == {image_by_name(scaled, scaled.image)} == before
    assert count(scaled) == (APPS, WORKERS)


def test_a_failed_migration_replaces_nothing(scaled: Stack, client: Client) -> None:
    before = scaled.containers("app")

    broken = another_version(scaled, MIGRATE, "\ndef run(", "\nraise SystemExit('no such column')\n\n\ndef run(")
    with broken, under_load(client) as load:
        done = scaled.attempt("sh", "infra/compose/upgrade.sh")

    assert done.returncode != 0
    assert "Nothing was replaced" in done.stderr
    assert load.failed == []
    assert scaled.containers("app") == before
    assert {image_by_name(scaled, scaled.image)} == scaled.images_of("app")
