"""Install the programs that the tests start from Debian or Ubuntu packages: `make programs`.

Tests install nothing themselves: a test whose program is missing fails and names it.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.finding import CannotBeHad
from tests.servers.mysql import MYSQL
from tests.servers.processes import installed_program
from tests.servers.redis import REDIS

POLICY = Path("/usr/sbin/policy-rc.d")
"""The script that packages ask whether they may start their service; 101 means no."""

_TIMEOUT = 900.0
"""Timeout in seconds for downloading and unpacking a package over a slow connection."""


BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""The browsers that the tests of pages can use, the preferred one first."""


def main() -> int:
    """Install each missing program; print what cannot be installed, which the tests that need it then say again."""
    for package in missing_packages():
        try:
            install(package)
        except CannotBeHad as reason:
            print(f"{package} is missing: {reason}", flush=True)
    return 0


def missing_packages() -> list[str]:
    """Return the packages of the programs that this machine does not have."""
    servers = [kind.package for kind in (MYSQL, REDIS) if kind.package and installed_program(kind) is None]
    return servers if any(map(shutil.which, BROWSERS)) else [*servers, "chromium"]


def install(package: str) -> None:
    """Install a package without starting its service; raise CannotBeHad."""
    if shutil.which("apt-get") is None or not _debian():
        raise CannotBeHad("there is no binary, and this is neither Debian nor Ubuntu, where one could be installed")
    if os.geteuid() != 0:
        raise CannotBeHad(f"there is no binary, and only root may install one: sudo apt-get install {package}")
    print(f"Installing {package} with apt-get; it takes a minute or so", flush=True)
    with no_service(POLICY):
        # If the lists cannot be updated, the existing ones may be good enough.
        _apt("update")
        done = _apt("install", "--yes", "--no-install-recommends", package)
    if done.returncode != 0:
        raise CannotBeHad(f"there is no binary, and apt-get install {package} failed: {done.stdout.strip()[-1000:]}")


def _apt(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = ["apt-get", "--quiet", "--option", "DPkg::Lock::Timeout=300", *arguments]
    try:
        return subprocess.run(
            command,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CannotBeHad(f"apt-get {arguments[0]} took longer than {_TIMEOUT:.0f} seconds") from error


def _debian() -> bool:
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        return False
    return bool({"debian", "ubuntu"} & {system["ID"], *system.get("ID_LIKE", "").split()})


@contextmanager
def no_service(policy: Path) -> Iterator[None]:
    """Prevent packages from starting their services; keep an existing policy of the machine."""
    try:
        with policy.open("x") as script:
            script.write("#!/bin/sh\nexit 101\n")
    except FileExistsError:
        yield
        return
    try:
        policy.chmod(0o755)
        yield
    finally:
        policy.unlink()


if __name__ == "__main__":
    sys.exit(main())
