"""What is wrong with the units of systemd."""

from configparser import RawConfigParser
from pathlib import Path

REQUIRED = {
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
    "Restart": "always",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "StateDirectory": "unite",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
    "User": "unite",
}
"""What every service of ours says, and nothing else."""


class _Unit(RawConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return optionstr  # systemd tells capitals from small letters


def service(path: Path) -> dict[str, str]:
    """The section Service of a unit; of a line that is there twice the last one."""
    unit = _Unit(strict=False, delimiters=["="], comment_prefixes=["#"])
    unit.read(path, "utf-8")
    return dict(unit["Service"])


def problems(folder: Path) -> list[str]:
    """A sentence for each thing that is wrong."""
    found = []
    for path in sorted(folder.glob("*.service")):
        says = service(path)
        found += [f"{path.name}: {name}={says.get(name)}" for name in REQUIRED if says.get(name) != REQUIRED[name]]
    return found
