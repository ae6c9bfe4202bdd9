"""Compare a CycloneDX document with a lock file: `sbom.py DOCUMENT LOCK PYTHON_VERSION`.

The exit code is 1 if either has a package or a version that the other lacks.
"""

import json
import re
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def markers(version: str) -> dict[str, str]:
    """Return the environment of markers for an image with this version of Python, independent of this machine."""
    return {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": version,
        "python_version": ".".join(version.split(".")[:2]),
        "sys_platform": "linux",
    }


def listed(document: str) -> set[str]:
    """Return `name==version` of every Python package in a CycloneDX document."""
    components = json.loads(document)["components"]
    return {
        f"{canonicalize_name(each['name'])}=={each['version']}"
        for each in components
        if each.get("purl", "").startswith("pkg:pypi/")
    }


def locked(text: str, version: str) -> set[str]:
    """Return `name==version` of every line of a lock file that applies to the image."""
    lines = re.findall(r"^([a-zA-Z0-9][^\\\n]*?)\s*\\?$", text, re.MULTILINE)
    requirements = map(Requirement, lines)
    environment = markers(version)
    return {
        f"{canonicalize_name(each.name)}{each.specifier}"
        for each in requirements
        if each.marker is None or each.marker.evaluate(environment)
    }


def main() -> int:
    """Compare the two files named on the command line, and print the differences."""
    document, lock = (Path(name) for name in sys.argv[1:3])
    installed, expected = listed(document.read_text("utf-8")), locked(lock.read_text("utf-8"), sys.argv[3])
    for package in sorted(installed - expected):
        sys.stderr.write(f"{package} is installed, and {lock} does not lock it.\n")
    for package in sorted(expected - installed):
        sys.stderr.write(f"{package} is locked in {lock}, and not installed.\n")
    if installed != expected:
        return 1
    sys.stdout.write(f"{document}: {len(installed)} packages, those of {lock}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
