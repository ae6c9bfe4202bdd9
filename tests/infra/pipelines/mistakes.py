"""Planted mistakes in build and deployment files, each with the check that finds it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.infra.pipelines import workflows
from tests.infra.pipelines.instance import Instance, revision
from tests.infra.pipelines.units import problems as problems_of_units
from tests.infra.tools import run, tool


@dataclass(frozen=True)
class Mistake:
    """A change of `before` to `after` in a file; the output of `check` then has to contain `says`."""

    name: str
    file: str
    before: str
    after: str
    check: str
    says: str


def _actionlint(folder: Path) -> str:
    files = sorted((folder / ".github" / "workflows").glob("*.yml"))
    return run("actionlint", "-shellcheck", tool("shellcheck"), *files, cwd=folder).output


def _zizmor(folder: Path) -> str:
    result = run("zizmor", "--offline", "--persona=pedantic", "--strict-collection", ".github", cwd=folder)
    return result.output if result.code else ""


def _schema(name: str, file: str) -> Callable[[Path], str]:
    def check(folder: Path) -> str:
        result = run("check-jsonschema", "--builtin-schema", name, file, cwd=folder)
        return result.output if result.code else ""

    return check


def _shellcheck(folder: Path) -> str:
    return run("shellcheck", *sorted((folder / "infra").rglob("*.sh")), cwd=folder).output


def _rehearsal(folder: Path) -> str:
    """Deploy a release, and then one that does not become ready, with the hooks of a folder."""
    source = folder / "infra" / "codedeploy"
    instance = Instance(folder / "instance")
    try:
        first = instance.deploy(revision(folder / "one", "one", source=source))
        bad = instance.deploy(revision(folder / "bad", "bad", status=503, source=source), UNITE_READY_SECONDS="10")
        said = [] if first.failed is None else [f"the first release fails in {first.failed}"]
        if bad.failed is None:
            said.append("a release that is not ready passes")
        if instance.linked("current") != "one":
            said.append("the release before does not run again")
        return "\n".join(said)
    except FileNotFoundError as missing:
        return str(missing)
    finally:
        instance.stop()


CHECKS: dict[str, Callable[[Path], str]] = {
    "actionlint": _actionlint,
    "zizmor": _zizmor,
    "hadolint": lambda folder: run("hadolint", "Dockerfile", cwd=folder).output,
    "shellcheck": _shellcheck,
    "the schema of Dependabot": _schema("vendor.dependabot", ".github/dependabot.yml"),
    "the schema of Compose": _schema("vendor.compose-spec", "infra/digitalocean/droplet/docker-compose.yml"),
    "the rules for workflows": lambda folder: "\n".join(workflows.problems(folder / ".github" / "workflows")),
    "the rules for updates": lambda folder: "\n".join(workflows.hasty_updates(folder / ".github" / "dependabot.yml")),
    "the rehearsal of a deployment": _rehearsal,
    "the rules for units": lambda folder: "\n".join(problems_of_units(folder / "infra" / "codedeploy" / "systemd")),
}
"""Name in the table -> check of a copy of the project."""

_CI, _DEPLOY, _RELEASE = (f".github/workflows/{name}.yml" for name in ("ci", "deploy", "release"))
_CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
_PYTHON = 'with:\n          python-version: "3.11"\n'

MISTAKES = (
    Mistake("an action by its tag", _CI, _CHECKOUT, "actions/checkout@v7", "zizmor", "unpinned-uses"),
    Mistake(
        "an action by a commit without its version",
        _CI,
        _CHECKOUT,
        _CHECKOUT.partition(" ")[0],
        "the rules for workflows",
        "no commit with its version",
    ),
    Mistake(
        "a script with a tag's name pasted into it",
        _RELEASE,
        'notes.py "$GITHUB_REF_NAME"',
        'notes.py "${{ github.ref_name }}"',
        "zizmor",
        "template-injection",
    ),
    Mistake("a cache in a release", _RELEASE, _PYTHON, f"{_PYTHON}          cache: pip\n", "zizmor", "cache-poisoning"),
    Mistake(
        "a cache in the checks",
        _CI,
        _PYTHON,
        f"{_PYTHON}          cache: pip\n",
        "the rules for workflows",
        "takes something from an earlier run",
    ),
    Mistake("no permissions at the top", _CI, "permissions: {}\n\n", "", "zizmor", "excessive-permissions"),
    Mistake(
        "all permissions at the top",
        _CI,
        "permissions: {}\n\n",
        "permissions: write-all\n\n",
        "zizmor",
        "excessive-permissions",
    ),
    Mistake(
        "a test job that may write",
        _CI,
        "contents: read # the checkout",
        "contents: write # the checkout",
        "the rules for workflows",
        "contents: write",
    ),
    Mistake(
        "a deployment from outside an environment",
        _DEPLOY,
        "    environment: ${{ inputs.environment }}\n",
        "",
        "the rules for workflows",
        "outside an environment",
    ),
    Mistake(
        "a stored key",
        _DEPLOY,
        "role-to-assume: ${{ vars.AWS_ROLE_ARN }}",
        "aws-access-key-id: ${{ secrets.AWS_KEY }}",
        "the rules for workflows",
        "a stored key",
    ),
    Mistake(
        "checks with the rights of the repository",
        _CI,
        "  pull_request:\n",
        "  pull_request_target:\n",
        "zizmor",
        "dangerous-triggers",
    ),
    Mistake(
        "a token left in the checkout",
        _CI,
        "        with:\n          persist-credentials: false\n",
        "",
        "zizmor",
        "artipacked",
    ),
    Mistake(
        "deployments at the same time",
        _DEPLOY,
        "concurrency:\n  group: deploy-${{ inputs.environment }}\n  cancel-in-progress: false\n",
        "",
        "zizmor",
        "concurrency-limits",
    ),
    Mistake("a job without an end", _CI, "    timeout-minutes: 15\n", "", "the rules for workflows", "has no end"),
    Mistake(
        "a release without checks", _RELEASE, "    needs: checks\n", "", "the rules for workflows", "waits for None"
    ),
    Mistake(
        "a job that waits for none that there is", _CI, "needs: compose", "needs: composed", "actionlint", "composed"
    ),
    Mistake(
        "an input that there is not",
        _DEPLOY,
        "environment: ${{ inputs.environment }}",
        "environment: ${{ inputs.enviroment }}",
        "actionlint",
        "enviroment",
    ),
    Mistake(
        "a variable without quotes in a workflow",
        _CI,
        '--build-arg REVISION="$GITHUB_SHA"',
        "--build-arg REVISION=$GITHUB_SHA",
        "actionlint",
        "SC2086",
    ),
    Mistake(
        "updates two days after their publication",
        ".github/dependabot.yml",
        "default-days: 7",
        "default-days: 2",
        "zizmor",
        "dependabot-cooldown",
    ),
    # zizmor does not report it if another part of the file has a cooldown.
    Mistake(
        "updates on the day of their publication",
        ".github/dependabot.yml",
        "    cooldown:\n      default-days: 7\n    groups:\n      actions",
        "    groups:\n      actions",
        "the rules for updates",
        "github-actions",
    ),
    Mistake(
        "updates of something that there is not",
        ".github/dependabot.yml",
        "package-ecosystem: uv",
        "package-ecosystem: uvv",
        "the schema of Dependabot",
        "uvv",
    ),
    Mistake("an image that runs as root", "Dockerfile", "USER 10001:10001", "USER root", "hadolint", "DL3002"),
    Mistake(
        "an image from any version",
        "Dockerfile",
        "FROM ${PYTHON_IMAGE} AS build",
        "FROM python AS build",
        "hadolint",
        "DL3006",
    ),
    Mistake(
        "a path without quotes in a hook",
        "infra/codedeploy/hooks/before_install.sh",
        'rm -rf "$home/incoming"',
        "rm -rf $home/incoming",
        "shellcheck",
        "SC2086",
    ),
    Mistake(
        "a folder that may be the root of all",
        "infra/codedeploy/hooks/validate_service.sh",
        '"${home:?}/releases/$old"',
        '"$home/$old"',
        "shellcheck",
        "SC2115",
    ),
    Mistake(
        "a word that Compose does not know",
        "infra/digitalocean/droplet/docker-compose.yml",
        "    stop_grace_period: 60s",
        "    stop_grace_periode: 60s",
        "the schema of Compose",
        "stop_grace_periode",
    ),
    Mistake(
        "a service that runs as root",
        "infra/codedeploy/systemd/unite-api.service",
        "User=unite\n",
        "",
        "the rules for units",
        "User",
    ),
    Mistake(
        "a service that may write everywhere",
        "infra/codedeploy/systemd/unite-worker.service",
        "ProtectSystem=strict\n",
        "",
        "the rules for units",
        "ProtectSystem",
    ),
    Mistake(
        "a release that is not ready and does not fail",
        "infra/codedeploy/hooks/validate_service.sh",
        '        fail "Release $previous runs again."',
        '        echo "Release $previous runs again."; exit 0',
        "the rehearsal of a deployment",
        "not ready passes",
    ),
    Mistake(
        "a release before that is not started again",
        "infra/codedeploy/hooks/validate_service.sh",
        '        activate "$previous"\n        ready || fail',
        "        false || fail",
        "the rehearsal of a deployment",
        "does not run again",
    ),
    Mistake(
        "a hook that the appspec cannot find",
        "infra/codedeploy/appspec.yml",
        "hooks/after_install.sh",
        "hooks/afterinstall.sh",
        "the rehearsal of a deployment",
        "No such file",
    ),
)
