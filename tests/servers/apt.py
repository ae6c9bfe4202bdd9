"""Installation of missing servers from the packages of Debian and Ubuntu."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.finding import CannotBeHad
from tests.servers.run import Tell

POLICY = Path("/usr/sbin/policy-rc.d")
"""The script that packages ask whether they may start their service; 101 means no."""

_TIMEOUT = 900.0
"""Timeout in seconds for downloading and unpacking a package over a slow connection."""


def install(package: str, tell: Tell) -> None:
    """Install a package without starting its service; raise CannotBeHad."""
    if shutil.which("apt-get") is None or not _debian():
        raise CannotBeHad("there is no binary, and this is neither Debian nor Ubuntu, where one could be installed")
    if os.geteuid() != 0:
        raise CannotBeHad(f"there is no binary, and only root may install one: sudo apt-get install {package}")
    tell(f"Installing {package} with apt-get; it takes a minute or so")
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
