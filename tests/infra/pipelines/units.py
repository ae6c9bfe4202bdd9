"""Checks of the systemd units."""

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
"""The required settings of every service."""


class _Unit(RawConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return optionstr  # names in systemd are case-sensitive


def service(path: Path) -> dict[str, str]:
    """Return the section Service of a unit; the last one of repeated settings."""
    unit = _Unit(strict=False, delimiters=["="], comment_prefixes=["#"])
    unit.read(path, "utf-8")
    return dict(unit["Service"])


def problems(folder: Path) -> list[str]:
    """Return a sentence for each fault."""
    results = []
    for path in sorted(folder.glob("*.service")):
        says = service(path)
        results += [f"{path.name}: {name}={says.get(name)}" for name in REQUIRED if says.get(name) != REQUIRED[name]]
    return results
