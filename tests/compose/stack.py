"""The whole stack of docker-compose.yml in a project of its own, spoken to over HTTP."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from random import randrange
from typing import Any
from uuid import uuid4

from tests.conftest import CHECKOUT
from tests.service_process import Client, free_port

ADMIN = "admin@example.com"
OURS = ("app", "worker")
"""The services that run our image for as long as the stack does."""

_TIMEOUT = 900.0
"""Seconds for images to be pulled over a slow line and for everything to be healthy."""


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
"""What the stack is built and upgraded from, and what describes that."""


class StackFailed(Exception):
    """A command of Docker failed; the text is what it said."""


class Stack:
    """One stack: its project, folder, ports, images, subnet and secrets are nobody else's.

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
        """Make the secrets, build the images, and wait until everything is healthy."""
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
        """Take everything away, the data and the images as well."""
        self.compose("down", "--volumes", "--timeout", "5")
        images = self._images()
        if images:
            self.run("docker", "image", "rm", "--force", *images)

    def left(self) -> list[str]:
        """Everything that still bears the project's name."""
        found = [f"image {id_}" for id_ in self._images()]
        for kind in ("container", "volume", "network"):
            everything = ["--all"] if kind == "container" else []
            mine = ["--filter", f"label=com.docker.compose.project={self.project}"]
            ids = self.run("docker", kind, "ls", "--quiet", *everything, *mine).split()
            found += [f"{kind} {id_}" for id_ in ids]
        return found

    def compose(self, *arguments: str) -> str:
        """What a command of Compose prints; raises `StackFailed`."""
        return self.run("docker", "compose", *arguments)

    def run(self, *command: str) -> str:
        """What a command prints that is run in the folder of the stack; raises `StackFailed`."""
        done = self.attempt(*command)
        if done.returncode != 0:
            raise StackFailed(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def attempt(self, *command: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """A command that was run in the folder of the stack, and may have failed."""
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
        """The ids of a service's containers that run."""
        return self.compose("ps", "--quiet", service).split()

    def images_of(self, service: str) -> set[str]:
        """The ids of the images that they run."""
        ids = self.containers(service)
        return set(self.run("docker", "inspect", "--format", "{{.Image}}", *ids).split())

    def kill(self, service: str) -> None:
        """End a server at one blow; it stays away until `start`."""
        self.compose("kill", service)

    def start(self, service: str) -> None:
        """Have a server there again, and wait until it is healthy."""
        self.compose("up", "--detach", "--no-deps", "--no-recreate", "--wait", service)

    def crash(self, service: str) -> None:
        """End what runs in a container of ours, so that Docker starts it again by itself."""
        # Everything that it may end, but not itself and not the first process, which ends when its child does.
        self.compose("exec", "-T", service, "python", "-c", "import os; os.kill(-1, 9)")

    def logs(self, *services: str, tail: str = "all") -> str:
        """What the services have printed."""
        return self.compose("logs", "--no-log-prefix", "--no-color", "--tail", tail, *services)

    def as_root(self, statement: str) -> list[str]:
        """The lines that MySQL answers to its root; raises `StackFailed`."""
        client = (
            'mysql --user=root --password="$(cat /run/secrets/mysql_root_password)" --raw --skip-column-names unite'
        )
        told = self.compose("exec", "-T", "mysql", "sh", "-c", f'{client} --execute="$1"', "sh", statement)
        return [line for line in told.splitlines() if line]

    def as_service(self, *statements: str) -> list[str]:
        """What MySQL says against each of the statements when the account of the service comes with it, if anything."""
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
        """What MongoDB says against each of the expressions over `database`, if anything, to the service's account."""
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
        """What Redis says against each of the commands when it comes with the service's account, if anything."""
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
        """What Docker knows about a service's container."""
        (container,) = self.compose("ps", "--all", "--quiet", service).split()
        told: list[dict[str, Any]] = json.loads(self.run("docker", "inspect", container))
        return told[0]

    def secret(self, name: str) -> str:
        """One of the secrets."""
        return (self.secrets / name).read_text().strip()

    def client(self) -> Client:
        """Somebody who is logged in as the first admin."""
        client = Client(self.url)
        login = {"email": ADMIN, "password": self.secret("admin_password")}
        pair = client.call("POST", "/v1/auth/login", json=login)
        client.session.headers["Authorization"] = f"Bearer {pair['access_token']}"
        return client

    def _images(self) -> list[str]:
        listed = self.run("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{self.project}*")
        return listed.split()
