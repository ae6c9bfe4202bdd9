"""Tests of the commands in the README and in docs/how-to, run as they are written."""

import re

from tests.compose.stack import ADMIN, Stack
from tests.service_process import Client

PROMPT = "    "


def commands_of(page: str) -> list[list[str]]:
    """Return the lines of each block of commands, without their indentation."""
    blocks: list[list[str]] = [[]]
    for line in page.splitlines():
        if line.startswith(PROMPT):
            blocks[-1].append(line.removeprefix(PROMPT))
        elif line or blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def section(page: str, title: str) -> str:
    match = re.search(rf"^## {title}\n(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL)
    assert match, title
    return match[1]


def line_of(page: str, words: str) -> str:
    """The one line of the page's commands that has these words."""
    (line,) = [line for block in commands_of(page) for line in block if words in line]
    return line


def at_a_terminal(stack: Stack, line: str) -> str:
    """Return the output of a command at a terminal; raise `StackFailed`."""
    return stack.run("script", "--quiet", "--return", "--command", line, "/dev/null")


def in_sh(stack: Stack, *lines: str) -> str:
    """What a script prints that is run by `sh` and ends with the first command that fails; raises `StackFailed`."""
    return stack.run("sh", "-eu", "-c", "\n".join(lines))


def test_the_commands_of_the_readme_work_with_docker(stack: Stack) -> None:
    readme = (stack.checkout / "README.md").read_text().replace("http://127.0.0.1:8000", stack.url)
    docker = commands_of(section(readme, "Run it with Docker"))
    serve = commands_of(section(readme, "Serve"))
    first = next(number for number, block in enumerate(serve) if any("lead=$(" in line for line in block))
    above = [line for block in serve[first:] for line in block]

    said = in_sh(stack, *(line for block in docker for line in block), *above)

    assert "Grace Hopper" in said
    assert '"verified":true' in said
    assert "event: " in said


def test_the_commands_of_the_readme_export_no_variables(stack: Stack) -> None:
    serve = section((stack.checkout / "README.md").read_text(), "Serve")

    assert [line for block in commands_of(serve) for line in block if line.startswith("export ")] == []


def test_the_commands_for_operators_work(stack: Stack, client: Client) -> None:
    page = (stack.checkout / "docs" / "how-to" / "manage-users.md").read_text()
    new = {"email": "bo@example.com", "name": "Bo", "role": "agent", "password": "correct horse battery"}
    client.call("POST", "/v1/users", json=new)

    reset = at_a_terminal(stack, line_of(page, "exec app python -m entrypoints users set-password"))
    listed = at_a_terminal(stack, line_of(page, "users list"))
    verified = at_a_terminal(stack, line_of(page, "exec app python -m entrypoints verify-ledger"))

    assert "bo@example.com" in reset
    assert ADMIN in listed
    assert "bo@example.com" in listed
    assert "every chain is whole" in verified


def test_a_backup_of_the_running_stack_is_restored_into_empty_volumes(stack: Stack, client: Client) -> None:
    page = (stack.checkout / "docs" / "how-to" / "back-up-and-restore.md").read_text()
    lead = client.call("POST", "/v1/leads", json={"name": "Kept", "email": "kept@example.com"})

    in_sh(stack, line_of(page, "exec -T app python -m entrypoints backup"))
    stack.compose("down", "--volumes")
    stack.start_on_empty_volumes("docker", "compose", "up", "--detach", "--wait", "mysql", "mongo")
    restore = page[page.index("docker compose up -d --wait mysql mongo") :]
    in_sh(stack, *commands_of(f"{PROMPT}{restore}")[0])

    assert client.call("GET", f"/v1/leads/{lead['id']}")["name"] == "Kept"
    assert client.call("GET", "/health/ready")["status"] == "ok"
    activity = client.call("GET", f"/v1/leads/{lead['id']}/activity")["items"]
    assert [event["type"] for event in activity] == ["lead.created"]
