"""Print the section of CHANGELOG.md that belongs to a tag: `notes.py v1.2.3`.

The exit code is 1, with an error message, if the tag is not the version of the library or has no section.
"""

import re
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def notes(tag: str, changelog: str, version: str) -> str:
    """Return the text below the heading of the tag's version; raise `ValueError`."""
    if tag != f"v{version}":
        raise ValueError(f"The tag is {tag!r} and the library says {version!r}: it should be v{version}.")
    heading = re.compile(rf"^## \[{re.escape(version)}\].*$", re.MULTILINE)
    match = heading.search(changelog)
    if match is None:
        raise ValueError(f"CHANGELOG.md has no section ## [{version}].")
    text = re.split(r"^(?:## |\[[^\]]+\]: )", changelog[match.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not text:
        raise ValueError(f"The section ## [{version}] of CHANGELOG.md is empty.")
    return text


def library_version() -> str:
    """Return the version of the library, without importing it: that needs an environment."""
    text = (CHECKOUT / "unite_core" / "__init__.py").read_text("utf-8")
    (version,) = re.findall(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    return str(version)


def main() -> int:
    """Print the notes of the tag that the command line names."""
    try:
        text = notes(sys.argv[1], (CHECKOUT / "CHANGELOG.md").read_text("utf-8"), library_version())
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
