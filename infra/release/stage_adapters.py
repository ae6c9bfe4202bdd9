"""Copy `adapters` into a folder, as its distribution is built from it: python -m infra.release.stage_adapters FOLDER.

In the checkout the package is called `adapters`, which is too common a name for somebody else's site-packages. So the
copy is `unite_adapters`, and its imports are changed accordingly.
"""

import re
import shutil
import sys
from pathlib import Path

from infra.release.notes import CHECKOUT, library_version

NAME = "unite_adapters"
DESCRIPTION = "docs/reference/adapters.md"
LEGAL = ("LICENSE", "NOTICE")
COPIED = {".py", ".mako"}

_IMPORT = re.compile(r"^(\s*(?:from|import) )adapters\b", re.MULTILINE)


def stage(target: Path) -> None:
    """Write the package, its metadata, its description and the licence into the folder."""
    for path in sorted((CHECKOUT / "adapters").rglob("*")):
        if path.suffix in COPIED:
            copy = target / NAME / path.relative_to(CHECKOUT / "adapters")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(_IMPORT.sub(rf"\g<1>{NAME}", path.read_text("utf-8")), "utf-8")
    (target / NAME / "py.typed").touch()
    metadata = Path(__file__).with_name(f"{NAME}.toml").read_text("utf-8")
    (target / "pyproject.toml").write_text(metadata.replace("@VERSION@", library_version()), "utf-8")
    shutil.copyfile(CHECKOUT / DESCRIPTION, target / "README.md")
    for name in LEGAL:
        shutil.copyfile(CHECKOUT / name, target / name)


if __name__ == "__main__":
    stage(Path(sys.argv[1]))
