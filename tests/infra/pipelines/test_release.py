"""Tests of release scripts: notes, wheels, the SBOM, and the start of a pipeline."""

import json
import os
import platform
import re
import runpy
import subprocess
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.infra.pipelines.stubs import Stubs

FOLDER = CHECKOUT / "infra" / "release"
VERSION = platform.python_version()
CHANGELOG = """# Changelog

## [Unreleased]

## [1.2.3] - 2026-02-03

### Added

- A thing.

## [1.2.2] - 2026-01-01

- Another.

[1.2.3]: https://example.com
"""


def _run(*command: str | Path, path: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": path or os.environ["PATH"]} | variables
    return subprocess.run(
        [str(part) for part in command], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )


def test_the_notes_of_a_release_are_its_section_of_the_changelog() -> None:
    notes = runpy.run_path(str(FOLDER / "notes.py"))["notes"]

    assert notes("v1.2.3", CHANGELOG, "1.2.3") == "### Added\n\n- A thing."
    assert notes("v1.2.2", CHANGELOG, "1.2.2") == "- Another."


@pytest.mark.parametrize(
    ("tag", "version", "message"),
    [
        ("v1.2.3", "1.2.4", "it should be v1.2.4"),
        ("v1.2.4", "1.2.4", r"no section ## \[1.2.4\]"),
        ("vUnreleased", "Unreleased", "is empty"),
        ("v1.2.3", "1.2.30", "it should be"),
    ],
)
def test_a_tag_without_a_section_in_the_changelog_is_refused(tag: str, version: str, message: str) -> None:
    notes = runpy.run_path(str(FOLDER / "notes.py"))["notes"]

    with pytest.raises(ValueError, match=message):
        notes(tag, CHANGELOG, version)


def test_a_tag_that_differs_from_the_version_ends_with_one_sentence() -> None:
    run = _run("python3", FOLDER / "notes.py", "v9.9.9")

    assert run.returncode == 1
    assert re.fullmatch(r"The tag is 'v9\.9\.9' and the library says .*\n", run.stderr)


def test_the_build_of_the_wheels_is_reproducible(tmp_path: Path) -> None:
    run = _run("sh", "-c", 'umask 077; exec infra/release/wheel.sh "$1"', "sh", tmp_path / "dist")

    assert run.returncode == 0, run.stdout + run.stderr
    wheels = sorted(path.name for path in (tmp_path / "dist").glob("*.whl"))
    assert [name.partition("-")[0] for name in wheels] == ["unite_adapters", "unite_core"]
    sums = (tmp_path / "dist" / "SHA256SUMS").read_text("utf-8").splitlines()
    assert [line.partition("  ")[2] for line in sums] == [f"./{name}" for name in wheels]


class Image:
    """A folder as the packages of an image, and a stub of `docker` that copies it."""

    def __init__(self, folder: Path) -> None:
        self.packages = folder / "image" / "opt/unite/lib/python3.11/site-packages"
        self.packages.mkdir(parents=True)
        self.document = folder / "unite.cdx.json"
        self.stubs = Stubs(folder / "bin")
        self.stubs.add("make")
        self.stubs.add(
            "docker",
            f"""
            case $1 in
                create) echo container ;;
                run) echo {VERSION} ;;
                cp) [ "$2" = --quiet ] && cp -R "{folder}/image${{3#container:}}" "$4" ;;
            esac
            """,
        )

    def install(self, names: set[str]) -> None:
        """Put what pip writes down of each package there; its code is of no interest."""
        for each in distributions():
            if re.sub(r"[-_.]+", "-", each.name).lower() in names:
                folder = self.packages / f"{each.name}-{each.version}.dist-info"
                folder.mkdir()
                (folder / "METADATA").write_text(each.read_text("METADATA") or "", "utf-8")

    def list(self) -> subprocess.CompletedProcess[str]:
        return _run("infra/release/sbom.sh", "unite:release", self.document, path=self.stubs.path)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return Image(tmp_path)


def _locked() -> set[str]:
    lock = (CHECKOUT / "requirements" / "service.txt").read_text("utf-8")
    pins: set[str] = runpy.run_path(str(FOLDER / "sbom.py"))["locked"](lock, VERSION)
    return {pin.partition("==")[0] for pin in pins}


def test_the_sbom_of_an_image_lists_what_is_installed_and_locked(image: Image) -> None:
    image.install(_locked())

    run = image.list()

    assert run.returncode == 0, run.stdout + run.stderr
    document = json.loads(image.document.read_text("utf-8"))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert {each["name"].lower().replace("_", "-") for each in document["components"]} == _locked()


def test_an_unlocked_package_of_an_image_is_reported(image: Image) -> None:
    image.install(_locked() - {"flask"} | {"pytest"})

    run = image.list()

    assert run.returncode == 1
    assert re.search(
        r"^pytest==\S+ is installed, and requirements/service.txt does not lock it", run.stderr, re.MULTILINE
    )
    assert re.search(r"^flask==\S+ is locked in requirements/service.txt, and not installed", run.stderr, re.MULTILINE)


@pytest.mark.parametrize(("last", "code"), [("Succeeded", 0), ("Failed", 1), ("Stopped", 1), ("Superseded", 1)])
def test_a_deployment_has_the_result_of_its_pipeline(tmp_path: Path, last: str, code: int) -> None:
    stubs = Stubs(tmp_path / "bin")
    stubs.add(
        "aws",
        f"""
        case $2 in
            start-pipeline-execution) echo 11-22 ;;
            get-pipeline-execution)
                if [ -e {tmp_path}/asked ]; then echo {last}; else touch {tmp_path}/asked; echo InProgress; fi ;;
        esac
        """,
    )

    run = _run(FOLDER / "run-pipeline.sh", "unite-staging", "abc", path=stubs.path, UNITE_POLL_SECONDS="0")

    assert run.returncode == code, run.stderr
    started, *asked = stubs.calls()
    assert started.startswith("aws codepipeline start-pipeline-execution --name unite-staging")
    assert "revisionType=COMMIT_ID,revisionValue=abc" in started
    assert len(asked) == 2
    assert all("--pipeline-execution-id 11-22" in call for call in asked)


def test_a_pipeline_that_cannot_be_started_fails(tmp_path: Path) -> None:
    stubs = Stubs(tmp_path / "bin")
    stubs.add("aws", "echo AccessDenied >&2; exit 254")

    assert _run(FOLDER / "run-pipeline.sh", "unite-staging", "abc", path=stubs.path).returncode == 254
