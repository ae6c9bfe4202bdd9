"""Copy a distribution's source into a folder to build it there: python -m infra.release.stage unite_core FOLDER.

In the checkout every module of `unite_core` may be imported by the service and its tests. In the wheel only the public
modules keep their names. All others begin with an underscore, which type checkers, linters and editors know as private.
The package `adapters` is called `unite_adapters` there, because its own name is too common.
"""

import os
import re
import shutil
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from infra.release.notes import CHECKOUT, library_version

REPOSITORY_URL = "UNITE_REPOSITORY_URL"
"""The variable with the address of the repository at GitHub, which only a release knows (`release.yml`)."""

COPIED = {".py", ".mako"}
LEGAL = ("LICENSE", "NOTICE")


@dataclass(frozen=True)
class Distribution:
    """A distribution: the package in the checkout, its page, and its public modules by their names in the wheel."""

    name: str
    package: str
    page: str
    public: Collection[str]


DISTRIBUTIONS: Mapping[str, Distribution] = {
    each.name: each
    for each in (
        Distribution(
            name="unite_core",
            package="unite_core",
            page="docs/reference/library.md",
            public=(
                "unite_core",
                "unite_core.ports",
                "unite_core.report_types",
                "unite_core.testing.builders",
                "unite_core.testing.contracts",
                "unite_core.testing.in_memory",
                "unite_core.testing.scenario",
                "unite_core.use_cases",
            ),
        ),
        Distribution(
            name="unite_adapters",
            package="adapters",
            page="docs/reference/adapters.md",
            public=(
                "unite_adapters.argon2",
                "unite_adapters.aws",
                "unite_adapters.jwt",
                "unite_adapters.local",
                "unite_adapters.mongo",
                "unite_adapters.otel",
                "unite_adapters.outbound",
                "unite_adapters.production",
                "unite_adapters.rate_limits",
                "unite_adapters.redis",
                "unite_adapters.rq",
                "unite_adapters.sql",
                "unite_adapters.sql.migrate",
                "unite_adapters.system_clock",
                "unite_adapters.twilio",
                "unite_adapters.uuid7",
            ),
        ),
    )
}


def stage(name: str, target: Path) -> None:
    """Write the package, its metadata, its page and the licence into the folder."""
    distribution = DISTRIBUTIONS[name]
    renamed = renamed_modules()
    rename = partial(_in_text, renamed, _pattern())
    source = CHECKOUT / distribution.package
    for path in sorted(source.rglob("*")):
        if path.suffix in COPIED:
            copy = target / _renamed_path(renamed, path.relative_to(CHECKOUT))
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(rename(path.read_text("utf-8")), "utf-8")
    (target / name / "py.typed").touch()
    metadata = Path(__file__).with_name(f"{name}.toml").read_text("utf-8").replace("@VERSION@", library_version())
    (target / "pyproject.toml").write_text(metadata + _project_urls(os.environ.get(REPOSITORY_URL, "")), "utf-8")
    shutil.copyfile(CHECKOUT / "requirements" / "core.in", target / "requirements.txt")
    shutil.copyfile(CHECKOUT / distribution.page, target / "README.md")
    for each in LEGAL:
        shutil.copyfile(CHECKOUT / each, target / each)


def _project_urls(repository: str) -> str:
    """Return the table of the metadata with the project's addresses, at the tag of this version; empty without one."""
    if not repository:
        return ""
    if re.fullmatch(r"https://[A-Za-z0-9._/-]+[A-Za-z0-9]", repository) is None:
        raise ValueError(f"{REPOSITORY_URL} has to be like https://github.com/OWNER/REPOSITORY.")
    tag = f"v{library_version()}"
    urls = {
        "Source": f"{repository}/tree/{tag}",
        "Documentation": f"{repository}/tree/{tag}/docs",
        "Changelog": f"{repository}/blob/{tag}/CHANGELOG.md",
        "Issues": f"{repository}/issues",
    }
    return "\n[project.urls]\n" + "".join(f'{name} = "{url}"\n' for name, url in urls.items())


def renamed_modules() -> Mapping[str, str]:
    """Return the names of all modules in the checkout, each with its name in the wheels."""
    return {
        module: _public_name(distribution, module)
        for distribution in DISTRIBUTIONS.values()
        for module in _modules(distribution.package)
    }


def _modules(package: str) -> Collection[str]:
    """Return the names of a package and of its modules; a folder without `__init__.py` is loaded by its path."""
    root = CHECKOUT / package
    return {
        ".".join((package, *path.relative_to(root).with_suffix("").parts)).removesuffix(".__init__")
        for path in root.rglob("*.py")
        if all((folder / "__init__.py").exists() for folder in path.parents if folder.is_relative_to(root))
    }


def _public_name(distribution: Distribution, module: str) -> str:
    """Return the name in the wheel: the first part that leads to nothing public gets an underscore."""
    parts = [distribution.name, *module.split(".")[1:]]
    for index in range(1, len(parts)):
        prefix = ".".join(parts[: index + 1])
        if not any(public == prefix or public.startswith(f"{prefix}.") for public in distribution.public):
            parts[index] = f"_{parts[index]}"
            break
    return ".".join(parts)


def _renamed_path(renamed: Mapping[str, str], path: Path) -> Path:
    """Return the path of a file in the wheel: the longest part of it that is a module is renamed."""
    folders = path.with_suffix("").parts
    for length in range(len(folders), 0, -1):
        module = ".".join(folders[:length])
        if module in renamed:
            *parents, stem = (*renamed[module].split("."), *folders[length:])
            return Path(*parents, f"{stem}{path.suffix}")
    raise ValueError(f"{path} is in no package.")


def _pattern() -> "re.Pattern[str]":
    packages = "|".join(distribution.package for distribution in DISTRIBUTIONS.values())
    return re.compile(rf"(?<![\w./-])(?:{packages})(?:\.[a-zA-Z_]\w*)*\b")


def _in_text(renamed: Mapping[str, str], pattern: "re.Pattern[str]", text: str) -> str:
    """Return the text with the names of modules as they are in the wheels."""

    def replace(found: "re.Match[str]") -> str:
        parts = found[0].split(".")
        for length in range(len(parts), 0, -1):
            module = ".".join(parts[:length])
            if length > 1 and module in renamed:
                return ".".join((renamed[module], *parts[length:]))
        return found[0]

    return pattern.sub(replace, text)


if __name__ == "__main__":
    stage(sys.argv[1], Path(sys.argv[2]))
