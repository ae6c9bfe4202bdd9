"""Tests of forbidden text in all files: paths of a machine, hosts of registries, ignores without a reason."""

import re
import subprocess
from pathlib import Path

from tests.conftest import CHECKOUT

# Put together here, or this file would be the first to hold them.
MACHINE = tuple(f"/{folder}/" for folder in ("work", "root", "home", "Users"))
REGISTRIES = tuple(
    ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs", "org"))
)

# `type: ignore[rule]  # reason` and `noqa: RULE  # reason`, the reason in words.
_IGNORE = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no\s+(?:cover|branch)|mypy:|ruff:|nosec)(.*)", re.IGNORECASE)
_REASONED = {
    "noqa": re.compile(r":\s*[A-Z]+[0-9]+(,\s*[A-Z]+[0-9]+)*\s+[#-]\s*\w+.*"),
    "type": re.compile(r"\[[a-z-]+(,\s*[a-z-]+)*\]\s+[#-]\s*\w+.*"),
}


def _files() -> list[Path]:
    """Return every text file that is under version control or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (CHECKOUT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8000]]


def _lines() -> list[tuple[str, str]]:
    results = []
    for path in _files():
        text = path.read_text("utf-8", errors="replace")
        name = path.relative_to(CHECKOUT).as_posix()
        results += [(f"{name}:{number}", line) for number, line in enumerate(text.splitlines(), start=1)]
    return results


def test_no_file_contains_a_path_of_one_machine() -> None:
    held = [where for where, line in _lines() if any(path in line for path in MACHINE)]

    assert not held


def test_no_file_contains_the_host_of_a_registry() -> None:
    held = [where for where, line in _lines() if any(host in line for host in REGISTRIES)]

    assert not held


def unreasoned(line: str) -> bool:
    """Whether the line switches a check off without naming the rule and a reason."""
    match = _IGNORE.search(line)
    if match is None:
        return False
    kind = match.group(1).lower().split(":")[0]
    reasoned = _REASONED.get(kind)
    return reasoned is None or reasoned.fullmatch(match.group(2)) is None


def test_an_ignore_without_a_rule_or_reason_is_detected() -> None:
    hash_ = "#"  # kept apart from the words, or the next test would find these lines

    assert unreasoned(f"x = 1  {hash_} noqa")
    assert unreasoned(f"x = 1  {hash_} noqa: E501")
    assert unreasoned(f"x = 1  {hash_} type: ignore")
    assert unreasoned(f"x = 1  {hash_} type: ignore[arg-type]")
    assert unreasoned(f"x = 1  {hash_} pragma: no cover")
    assert not unreasoned(f"x = 1  {hash_} noqa: E501  {hash_} the table reads best in one line")
    assert not unreasoned(f"x = 1  {hash_} type: ignore[arg-type]  {hash_} the stub lacks None")


def test_every_ignore_has_a_rule_and_a_reason() -> None:
    bare = [where for where, line in _lines() if where.partition(":")[0].endswith(".py") and unreasoned(line)]

    assert not bare
