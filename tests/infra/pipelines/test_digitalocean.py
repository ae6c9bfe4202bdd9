"""Tests of both ways to run on DigitalOcean: settings, secrets, deployments and rollbacks."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from entrypoints.http.framework import proxy_headers as clients
from entrypoints.settings.variables import ALL
from tests.conftest import CHECKOUT
from tests.infra.pipelines.stubs import Stubs
from tests.infra.pipelines.yaml_files import load
from tests.infra.tools import run as run_tool

FOLDER = CHECKOUT / "infra" / "digitalocean"
DROPLET = FOLDER / "droplet"
PAGE = CHECKOUT / "docs" / "how-to" / "deploy-on-digitalocean.md"

SETTINGS = {variable.name for variable in ALL}


def _environments(spec: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The variables of each component of App Platform, those of the whole app included."""
    components = [*spec["jobs"], *spec["services"], *spec["workers"]]
    return {each["name"]: {env["key"]: env["value"] for env in [*spec["envs"], *each["envs"]]} for each in components}


def test_app_platform_sets_only_existing_variables() -> None:
    environments = _environments(load(FOLDER / "app.yaml"))

    for name, variables in environments.items():
        ours = {key for key in variables if key.startswith("UNITE_")}
        assert ours <= SETTINGS, name
    assert environments["api"]["UNITE_JWT_KEYS"] == environments["worker"]["UNITE_JWT_KEYS"]
    assert "migrator" in environments["migrate"]["UNITE_DATABASE_URL"]
    assert "migrator" not in environments["api"]["UNITE_DATABASE_URL"] + environments["worker"]["UNITE_DATABASE_URL"]


def test_app_platform_contains_no_secret_in_plain_text() -> None:
    spec = load(FOLDER / "app.yaml")
    variables = [env for each in [spec, *spec["jobs"], *spec["services"], *spec["workers"]] for env in each["envs"]]

    secret = {
        env["key"] for env in variables if re.search(r"SECRET|PASSWORD|KEYS|MONGODB_URL|ACCESS_KEY_ID", env["key"])
    }

    assert {"UNITE_JWT_KEYS", "UNITE_ADMIN_PASSWORD", "AWS_SECRET_ACCESS_KEY", "UNITE_MONGODB_URL"} <= secret
    for env in variables:
        if env["key"] in secret:
            assert env["type"] == "SECRET"
            assert env["value"].startswith("CHANGE_ME_")


def test_app_platform_migrates_before_a_deployment_and_checks_readiness() -> None:
    spec = load(FOLDER / "app.yaml")
    (migrate,), (api,), (worker,) = spec["jobs"], spec["services"], spec["workers"]

    assert (migrate["kind"], migrate["run_command"].split()[-1]) == ("PRE_DEPLOY", "migrate'")
    assert "entrypoints serve --no-worker'" in api["run_command"]
    assert "entrypoints work'" in worker["run_command"]
    assert api["health_check"]["http_path"] == "/health/ready"
    assert api["liveness_health_check"]["http_path"] == "/health/live"
    assert {each["name"] for each in spec["databases"]} == {"mysql", "mysql-migrator", "valkey"}
    bound = set(re.findall(r"\$\{([a-z-]+)\.", (FOLDER / "app.yaml").read_text("utf-8")))
    assert bound == {"mysql", "mysql-migrator", "valkey"}


@pytest.mark.parametrize("path", [FOLDER / "app.yaml", DROPLET / "cloud-init.yaml"], ids=lambda path: path.name)
def test_the_page_explains_every_placeholder(path: Path) -> None:
    page = PAGE.read_text("utf-8")
    gaps = set(re.findall(r"CHANGE_ME_[A-Z_]*[A-Z]", path.read_text("utf-8")))

    assert gaps
    assert [gap for gap in sorted(gaps) if gap not in page] == []


def test_cloud_init_contains_no_secret_and_valid_commands() -> None:
    text = (DROPLET / "cloud-init.yaml").read_text("utf-8")
    config = load(DROPLET / "cloud-init.yaml")

    assert text.startswith("#cloud-config\n")
    assert config["ssh_pwauth"] is False
    assert not re.search(r"password|://[^/ ]+:[^/ ]+@", text.replace("with a password", ""), re.IGNORECASE)
    scripts = [command[2] for command in config["runcmd"] if command[:2] == ["sh", "-c"]]
    assert len(scripts) == 1
    for script in scripts:
        checked = run_tool("shellcheck", "--shell=sh", "-", text=script)
        assert checked.code == 0, checked.output
    written = {each["path"]: each for each in config["write_files"]}
    assert {"/etc/docker/daemon.json", "/etc/unite/settings"} <= written.keys()
    assert all(re.fullmatch("0[0-7]{3}", each["permissions"]) for each in written.values())


def test_the_commands_of_cloud_init_can_be_repeated(tmp_path: Path) -> None:
    stubs = Stubs(tmp_path / "bin")
    for name in ("ufw", "systemctl", "install", "ln"):
        stubs.add(name)
    stubs.add("git", f"mkdir -p {tmp_path}/opt/unite/.git")
    for _ in range(2):
        for command in load(DROPLET / "cloud-init.yaml")["runcmd"]:
            here = [part.replace("/opt/unite", f"{tmp_path}/opt/unite") for part in command]
            subprocess.run(here, env={"PATH": stubs.path}, check=True)

    cloned = [call for call in stubs.calls() if call.startswith("git clone")]
    assert len(cloned) == 1
    assert "--branch vCHANGE_ME_VERSION" in cloned[0]


def test_the_droplet_sets_only_existing_variables_and_has_its_own_secrets() -> None:
    services = load(DROPLET / "docker-compose.yml")["services"]

    for name in ("api-one", "api-two", "worker", "migrate"):
        environment, secrets = services[name]["environment"], services[name]["secrets"]
        ours = {key.removesuffix("_FILE") for key in environment if key.startswith("UNITE_")}
        assert ours <= SETTINGS, name
        named = {value.rpartition("/")[2] for value in environment.values() if value.startswith("/run/secrets/")}
        assert named | {"mysql_ca"} == set(secrets), name
    assert services["api-one"] == services["api-two"]
    assert not [name for name in services if name != "migrate" and "migrator" in str(services[name])]


def test_the_proxy_of_the_droplet_passes_on_no_header_that_the_service_trusts() -> None:
    text = (DROPLET / "Caddyfile").read_text("utf-8")
    written = re.findall(r"^\s*header_up -?(\S+)", text, re.MULTILINE)

    assert set(clients.HEADERS) <= {"HTTP_" + name.upper().replace("-", "_") for name in written}
    assert "request_header -*_*" in text
    assert "reverse_proxy api-one:8000 api-two:8000" in text


SECRETS = (
    "admin_password",
    "jwt_keys",
    "mongo_migrator_url",
    "mongo_service_url",
    "mysql_ca",
    "mysql_migrator_url",
    "mysql_service_url",
    "redis_url",
    "spaces_credentials",
)


class Droplet:
    """A Droplet whose settings and secrets are there, and a Docker that does as a file says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secrets = folder / "secrets"
        self.secrets.mkdir()
        for name in SECRETS:
            (self.secrets / name).write_text("value")
        self.settings = folder / "settings"
        (described,) = (
            each["content"]
            for each in load(DROPLET / "cloud-init.yaml")["write_files"]
            if each["path"] == "/etc/unite/settings"
        )
        self.settings.write_text(re.sub(r"CHANGE_ME_\w+", "something", described))
        self.running = folder / "version"
        self.stubs = Stubs(folder / "bin")
        self.stubs.add("chown")
        self.stubs.add(
            "docker",
            f"""
            echo "$UNITE_VERSION $*" >>{folder}/docker.log
            if [ -e {folder}/fails-of-$UNITE_VERSION ]; then
                case "$*" in *"$(cat {folder}/fails-of-$UNITE_VERSION)") exit 1 ;; esac
            fi
            """,
        )

    def fail(self, version: str, command: str) -> None:
        """Have Docker fail where it is called for a version with a command that ends like this."""
        (self.folder / f"fails-of-{version}").write_text(command)

    def deploy(self, version: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "PATH": self.stubs.path,
            "UNITE_SETTINGS": str(self.settings),
            "UNITE_SECRETS": str(self.secrets),
            "UNITE_RUNNING": str(self.running),
        }
        return subprocess.run(
            [DROPLET / "deploy.sh", version], env=environment, capture_output=True, text=True, check=False
        )

    def steps(self) -> list[str]:
        """The version, the command and what it is about, of every call of Docker."""
        lines = (self.folder / "docker.log").read_text("utf-8").splitlines()
        (self.folder / "docker.log").unlink()
        commands = [(line.split()[0], line.partition("docker-compose.yml ")[2].split()) for line in lines]
        return [f"{version} {words[0]} {words[-1]}" for version, words in commands]


@pytest.fixture
def droplet(tmp_path: Path) -> Droplet:
    return Droplet(tmp_path)


def test_a_deployment_migrates_first_and_replaces_one_api_after_the_other(droplet: Droplet) -> None:
    done = droplet.deploy("1.2.3")

    assert done.returncode == 0, done.stderr
    assert droplet.steps() == [
        "1.2.3 pull --quiet",
        "1.2.3 run migrate",
        "1.2.3 up api-one",
        "1.2.3 up api-two",
        "1.2.3 up worker",
        "1.2.3 up caddy",
    ]
    assert droplet.running.read_text("utf-8") == "1.2.3\n"
    assert oct((droplet.secrets / "jwt_keys").stat().st_mode)[-3:] == "400"


def test_an_unhealthy_version_is_rolled_back(droplet: Droplet) -> None:
    assert droplet.deploy("1.2.3").returncode == 0
    droplet.steps()
    droplet.fail("1.2.4", "--wait-timeout 180 api-two")

    done = droplet.deploy("1.2.4")

    assert done.returncode == 1
    assert "Version 1.2.3 runs again." in done.stderr
    assert droplet.steps()[-3:] == ["1.2.3 up api-one", "1.2.3 up api-two", "1.2.3 up worker"]
    assert droplet.running.read_text("utf-8") == "1.2.3\n"


def test_a_failed_migration_replaces_nothing(droplet: Droplet) -> None:
    droplet.fail("1.2.3", "run --rm migrate")

    done = droplet.deploy("1.2.3")

    assert done.returncode == 1
    assert droplet.steps()[-1] == "1.2.3 run migrate"
    assert not droplet.running.exists()


def test_the_first_version_cannot_be_rolled_back(droplet: Droplet) -> None:
    droplet.fail("1.2.3", "--wait-timeout 180 api-one")

    done = droplet.deploy("1.2.3")

    assert done.returncode == 1
    assert "there is no version before it" in done.stderr


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_secret_is_named_before_anything_happens(droplet: Droplet, name: str) -> None:
    (droplet.secrets / name).write_text("")

    done = droplet.deploy("1.2.3")

    assert done.returncode == 1
    assert f"{name} is missing or empty" in done.stderr
    assert not (droplet.folder / "docker.log").exists()


def test_settings_with_placeholders_are_refused(droplet: Droplet) -> None:
    droplet.settings.write_text("UNITE_DOMAIN=CHANGE_ME_DOMAIN\n")

    done = droplet.deploy("1.2.3")

    assert done.returncode == 1
    assert "1:UNITE_DOMAIN=CHANGE_ME_DOMAIN" in done.stderr
