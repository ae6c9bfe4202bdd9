"""The stack of docker-compose.yml as a separate project, with commands to control it."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from random import randrange
from typing import Any
from uuid import uuid4

from tests.conftest import CHECKOUT
from tests.service_process import Client, free_port

ADMIN = "admin@example.com"
OURS = ("app", "worker")
"""The long-running services with our image."""

_TIMEOUT = 900.0
"""Timeout in seconds for pulling images over a slow connection and for all services to be healthy."""


_COPIED = (
    ".dockerignore",
    "Dockerfile",
    "Makefile",
    "README.md",
    "adapters",
    "docker-compose.yml",
    "docs",
    "entrypoints",
    "infra",
    "requirements",
    "sample_leads.csv",
    "unite_core",
)
"""The files from which the stack is built and upgraded."""


class AdminClient(Client):
    """A client of the first admin, which logs in again before its access token expires."""

    def __init__(self, url: str, login: dict[str, str]) -> None:
        super().__init__(url)
        self._login = login
        self._log_in()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Return the decoded answer to a request that has to succeed."""
        if time.monotonic() >= self._renew_at:
            self._log_in()
        return super().call(method, path, **options)

    def _log_in(self) -> None:
        pair = super().call("POST", "/v1/auth/login", json=self._login)
        self.session.headers["Authorization"] = f"Bearer {pair['access_token']}"
        self._renew_at = time.monotonic() + pair["expires_in"] / 2


class StackFailed(Exception):
    """A Docker command failed; the message is its output."""


class Stack:
    """A stack with its own project, folder, ports, images, subnet and secrets.

    It is run from a copy of the checkout, which a test may change: that is another version then.
    """

    def __init__(self, folder: Path) -> None:
        self.project = f"unite-compose-{uuid4().hex[:8]}"
        self.image = f"{self.project}:test"
        self.checkout = folder / "checkout"
        self.secrets = self.checkout / "secrets"
        api, moto, self.twilio_port = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{api}"
        self.storage_url = f"http://127.0.0.1:{moto}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("UNITE_", "COMPOSE_"))}
        self.environment = clean | {
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_PROGRESS": "plain",
            "UNITE_IMAGE": self.image,
            "UNITE_PROXY_IMAGE": f"{self.project}-proxy",
            "UNITE_EDGE_SUBNET": f"10.{randrange(128, 255)}.{randrange(256)}.0/26",
            "UNITE_API_PORT": str(api),
            "UNITE_MOTO_PORT": str(moto),
            "UNITE_TWILIO_PORT": str(self.twilio_port),
        }

    def up(self) -> None:
        """Create the secrets, build the images, and wait until all services are healthy."""
        self.checkout.mkdir()
        for name in _COPIED:
            source, target = CHECKOUT / name, self.checkout / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        (self.checkout / ".env").write_text("UNITE_DEFAULT_COUNTRY=US\n")
        self.start_on_empty_volumes("make", "up")

    def start_on_empty_volumes(self, *command: str) -> None:
        """Run a command that starts MongoDB for the first time and waits; raises `StackFailed`.

        What stands in for it begins twice then. Now and then its port is still taken the second time, so that it ends,
        and Docker starts it again. Compose takes that for a failure, and the command works when it is run again.
        """
        if self.attempt(*command).returncode != 0:
            self.run(*command)

    def down(self) -> None:
        """Remove everything, with data and images."""
        self.compose("down", "--volumes", "--timeout", "5")
        images = self._images()
        if images:
            self.run("docker", "image", "rm", "--force", *images)

    def left(self) -> list[str]:
        """Return all Docker objects with the project's name."""
        remains = [f"image {id_}" for id_ in self._images()]
        for kind in ("container", "volume", "network"):
            everything = ["--all"] if kind == "container" else []
            mine = ["--filter", f"label=com.docker.compose.project={self.project}"]
            ids = self.run("docker", kind, "ls", "--quiet", *everything, *mine).split()
            remains += [f"{kind} {id_}" for id_ in ids]
        return remains

    def compose(self, *arguments: str) -> str:
        """Run a Compose command and return its output; raise `StackFailed`."""
        return self.run("docker", "compose", *arguments)

    def run(self, *command: str) -> str:
        """Run a command in the folder of the stack and return its output; raise `StackFailed`."""
        done = self.attempt(*command)
        if done.returncode != 0:
            raise StackFailed(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def attempt(self, *command: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the folder of the stack, and return the process even if it failed."""
        return subprocess.run(
            command,
            cwd=self.checkout,
            env=self.environment | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )

    def containers(self, service: str) -> list[str]:
        """Return the ids of the running containers of a service."""
        return self.compose("ps", "--quiet", service).split()

    def images_of(self, service: str) -> set[str]:
        """Return the ids of their images."""
        ids = self.containers(service)
        return set(self.run("docker", "inspect", "--format", "{{.Image}}", *ids).split())

    def kill(self, service: str) -> None:
        """Kill a service; it stays down until `start`."""
        self.compose("kill", service)

    def start(self, service: str) -> None:
        """Start a service again, and wait until it is healthy."""
        self.compose("up", "--detach", "--no-deps", "--no-recreate", "--wait", service)

    def crash(self, service: str) -> None:
        """Kill the processes in one of our containers, so that Docker restarts it."""
        # Everything that it may end, but not itself and not the first process, which ends when its child does.
        self.compose("exec", "-T", service, "python", "-c", "import os; os.kill(-1, 9)")

    def logs(self, *services: str, tail: str = "all") -> str:
        """Return the logs of the services."""
        return self.compose("logs", "--no-log-prefix", "--no-color", "--tail", tail, *services)

    def as_root(self, statement: str) -> list[str]:
        """Run a statement as root of MySQL and return the lines of its result; raise `StackFailed`."""
        client = (
            'mysql --user=root --password="$(cat /run/secrets/mysql_root_password)" --raw --skip-column-names unite'
        )
        output = self.compose("exec", "-T", "mysql", "sh", "-c", f'{client} --execute="$1"', "sh", statement)
        return [line for line in output.splitlines() if line]

    def as_service(self, *statements: str) -> list[str]:
        """Return the error of MySQL, if any, for each statement with the account of the service."""
        url = "Path('/run/secrets/mysql_service_url').read_text().strip()"
        asking = (
            "import sys",
            "from pathlib import Path",
            "from adapters.sql.engine import create_engine_for",
            f"connection = create_engine_for({url}).connect()",
            "for statement in sys.argv[1:]:",
            "    try: connection.exec_driver_sql(statement)",
            "    except Exception as error: print(error.orig)",
            "    else: print()",
        )
        return self.compose("exec", "-T", "app", "python", "-c", "\n".join(asking), *statements).splitlines()

    def as_service_in_mongo(self, *expressions: str) -> list[str]:
        """Return the error of MongoDB, if any, for each expression over `database` with the account of the service."""
        asking = (
            "import sys",
            "from pathlib import Path",
            "from pymongo import MongoClient",
            "url = Path('/run/secrets/mongo_service_url').read_text().strip()",
            "database = MongoClient(url).get_default_database()",
            "for expression in sys.argv[1:]:",
            "    try: eval(expression)",
            "    except Exception as error: print(str(error).splitlines()[0])",
            "    else: print()",
        )
        return self.compose("exec", "-T", "app", "python", "-c", "\n".join(asking), *expressions).splitlines()

    def as_service_in_redis(self, *commands: str) -> list[str]:
        """Return the error of Redis, if any, for each command with the account of the service."""
        asking = (
            "import sys",
            "from pathlib import Path",
            "from redis import Redis",
            "redis = Redis.from_url(Path('/run/secrets/redis_service_url').read_text().strip())",
            "for command in sys.argv[1:]:",
            "    try: redis.execute_command(*command.split())",
            "    except Exception as error: print(error)",
            "    else: print()",
        )
        return self.compose("exec", "-T", "app", "python", "-c", "\n".join(asking), *commands).splitlines()

    def inspected(self, service: str) -> dict[str, Any]:
        """Return `docker inspect` of a service's container."""
        (container,) = self.compose("ps", "--all", "--quiet", service).split()
        containers: list[dict[str, Any]] = json.loads(self.run("docker", "inspect", container))
        return containers[0]

    def random_secrets(self) -> set[str]:
        """Return the random parts of all secrets."""
        return {word for file in self.secrets.iterdir() for word in re.findall("[0-9a-f]{48}", file.read_text())}

    def secret(self, name: str) -> str:
        """Return one of the secrets."""
        return (self.secrets / name).read_text().strip()

    def client(self) -> Client:
        """Return a client of the first admin."""
        return AdminClient(self.url, {"email": ADMIN, "password": self.secret("admin_password")})

    def _images(self) -> list[str]:
        listed = self.run("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{self.project}*")
        return listed.split()
