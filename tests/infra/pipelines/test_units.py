"""The units of systemd: what they start, and what they may do."""

import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from tests.infra.pipelines.instance import SOURCE

UNITS = sorted((SOURCE / "systemd").glob("*.service"))

HARDENING = {
    "CapabilityBoundingSet": "",
    "LockPersonality": "yes",
    "NoNewPrivileges": "yes",
    "PrivateDevices": "yes",
    "PrivateTmp": "yes",
    "ProtectClock": "yes",
    "ProtectControlGroups": "yes",
    "ProtectHome": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectProc": "invisible",
    "ProtectSystem": "strict",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
    "User": "unite",
}


def _service(path: Path) -> dict[str, str]:
    unit = RawConfigParser(strict=False, delimiters=["="], comment_prefixes=["#"])
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # systemd tells capitals from small letters
    unit.read(path, "utf-8")
    return dict(unit["Service"])


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_service_may_do_no_more_than_it_needs(path: Path) -> None:
    service = _service(path)

    assert {name: service.get(name) for name in HARDENING} == HARDENING
    assert service["StateDirectory"] == "unite"
    assert service["Restart"] == "always"


def test_the_two_services_differ_in_what_they_run() -> None:
    started = {path.stem: _service(path)["ExecStart"] for path in UNITS}

    python = "/srv/unite/current/venv/bin/python -m entrypoints"
    assert started == {"unite-api": f"{python} serve --no-worker", "unite-worker": f"{python} work"}


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_understands_every_line_of_a_unit(path: Path, tmp_path: Path) -> None:
    # An absolute path that there is, or systemd says of this machine that the release is not installed.
    text = path.read_text("utf-8").replace("/srv/unite/current/venv/bin/python", "/bin/true")
    unit = tmp_path / path.name
    unit.write_text(text, "utf-8")

    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)

    assert (verified.returncode, verified.stderr) == (0, "")
