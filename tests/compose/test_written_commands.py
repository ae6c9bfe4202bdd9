"""The commands of README, run as they stand there."""

import re

from tests.compose.stack import Stack

PROMPT = "    "


def commands_of(page: str) -> list[list[str]]:
    """The lines of each block of commands, as they stand, without the indentation of the page."""
    blocks: list[list[str]] = [[]]
    for line in page.splitlines():
        if line.startswith(PROMPT):
            blocks[-1].append(line.removeprefix(PROMPT))
        elif line or blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def section(page: str, title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def in_sh(stack: Stack, *lines: str) -> str:
    """What a script prints that is run by `sh` and ends with the first command that fails; raises `StackFailed`."""
    return stack.run("sh", "-eu", "-c", "\n".join(lines))


def test_the_docker_lines_of_the_readme_lead_to_the_lines_above_them(stack: Stack) -> None:
    readme = (stack.checkout / "README.md").read_text().replace("http://127.0.0.1:8000", stack.url)
    docker = commands_of(section(readme, "Run it with Docker"))
    serve = commands_of(section(readme, "Serve"))
    first = next(number for number, block in enumerate(serve) if any("lead=$(" in line for line in block))
    above = [line for block in serve[first:] for line in block]

    said = in_sh(stack, *(line for block in docker for line in block), *above)

    assert "Grace Hopper" in said
    assert '"verified":true' in said
    assert "event: " in said


def test_nothing_of_the_lines_before_is_left_in_the_environment(stack: Stack) -> None:
    serve = section((stack.checkout / "README.md").read_text(), "Serve")

    assert [line for block in commands_of(serve) for line in block if line.startswith("export ")] == []
