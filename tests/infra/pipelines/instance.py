"""Simulated instance in a temporary folder, with a CodeDeploy agent and a systemd that starts real processes."""

import shutil
import socket
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.conftest import CHECKOUT
from tests.infra.pipelines.stubs import Stubs
from tests.infra.pipelines.yaml_files import load

SOURCE = CHECKOUT / "infra" / "codedeploy"

EVENTS = ("ApplicationStop", "BeforeInstall", "Install", "AfterInstall", "ApplicationStart", "ValidateService")
"""The order of the events of an in-place deployment, without those of the load balancer."""

_APPLICATION = """
    import os, sys
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response({status} if self.path == "/health/ready" else 404)
            self.end_headers()
            self.wfile.write(b"{release}")

    if {status} == 0:
        sys.exit(1)
    HTTPServer(("127.0.0.1", int(os.environ["UNITE_PORT"])), Handler).serve_forever()
"""

_PYTHON = """
    case "$1 $2" in
        "-m venv") mkdir -p $4/bin && ln -s {python} $4/bin/python ;;
    esac
"""
"""A stub that creates an environment without installing anything, to save a second each time."""

_SYSTEMCTL = """
    state={state}
    for unit; do :; done
    stop() {{
        if [ -e $state/$unit ]; then
            kill $(cat $state/$unit) 2>/dev/null
            while kill -0 $(cat $state/$unit) 2>/dev/null; do sleep 0.05; done
            rm $state/$unit
        fi
    }}
    case $1 in
        stop) stop ;;
        restart)
            stop
            file={root}/etc/systemd/system/$unit
            set -a; . {root}/etc/unite/environment; set +a
            cd {root}$(sed -n s/^WorkingDirectory=//p $file) || exit 1
            setsid {root}$(sed -n s/^ExecStart=//p $file) >/dev/null 2>&1 </dev/null &
            echo $! >$state/$unit ;;
        is-active) [ -e $state/$unit ] && kill -0 $(cat $state/$unit) 2>/dev/null ;;
        show) if [ -e $state/restarts ]; then echo . >>$state/restarts; wc -l <$state/restarts; else echo 0; fi ;;
    esac
"""


def revision(folder: Path, release: str, *, status: int = 200, source: Path = SOURCE) -> Path:
    """Create a revision whose readiness check answers with `status`; with 0 its API ends at once."""
    application = folder / "application"
    (application / "entrypoints").mkdir(parents=True)
    (application / "entrypoints" / "__main__.py").write_text(
        textwrap.dedent(_APPLICATION).format(status=status, release=release)
    )
    (application / "requirements").mkdir()
    (application / "requirements" / "service.txt").write_text("")
    (folder / "wheels").mkdir()
    (folder / "RELEASE").write_text(f"{release}\n")
    for name in ("hooks", "systemd"):
        shutil.copytree(source / name, folder / name)
    shutil.copy(source / "appspec.yml", folder)
    return folder


def _free_port() -> int:
    with socket.socket() as http_config:
        http_config.bind(("127.0.0.1", 0))
        port: int = http_config.getsockname()[1]
        return port


@dataclass(frozen=True)
class Deployment:
    """The result of a deployment: the failed event or None, and the output of its hooks."""

    failed: str | None
    output: str


class Instance:
    """An instance after its setup by the launch template."""

    def __init__(self, folder: Path, *, role: str = "api") -> None:
        self.root = folder / "root"
        self.state = folder / "state"
        self.state.mkdir(parents=True)
        self.port = _free_port()
        self.settings = self.root / "etc" / "unite"
        self.settings.mkdir(parents=True)
        (self.settings / "role").write_text(f"{role}\n")
        (self.settings / "environment").write_text(f"UNITE_PORT={self.port}\n")
        self.stubs = Stubs(folder / "bin")
        self.stubs.add("systemctl", _SYSTEMCTL.format(root=self.root, state=self.state))
        self.stubs.add("journalctl", 'echo "what the log says"')
        self.stubs.add("id", "exit 1")
        self.stubs.add("useradd")
        self.stubs.add("sleep", "exec /bin/sleep 0.1")
        self.stubs.add("python3.11", _PYTHON.format(python=sys.executable))
        self._deployed: Path | None = None

    def hook(self, revision_: Path, event: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the hooks of the appspec for an event."""
        (hook,) = load(revision_ / "appspec.yml")["hooks"][event]
        environment = {
            "PATH": self.stubs.path,
            "UNITE_ROOT": str(self.root),
            "UNITE_READY_SECONDS": "150",
            "UNITE_STEADY_SECONDS": "0",
            "UNITE_WAIT_SECONDS": "0",
        }
        return subprocess.run(
            [revision_ / hook["location"]],
            env=environment | variables,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=hook["timeout"],
            check=False,
        )

    def copy(self, revision_: Path) -> None:
        """Copy the files of the appspec over existing ones."""
        for each in load(revision_ / "appspec.yml")["files"]:
            source = revision_ / each["source"].lstrip("/")
            shutil.copytree(source, self.root / each["destination"].lstrip("/"), dirs_exist_ok=True)

    def deploy(self, revision_: Path, *, times: int = 1, **variables: str) -> Deployment:
        """Deploy a revision like CodeDeploy's agent, each event `times` times, until one fails."""
        output = ""
        for event in EVENTS:
            for _ in range(times):
                if event == "Install":
                    self.copy(revision_)
                    continue
                source = self._deployed if event == "ApplicationStop" else revision_
                if source is None:  # this is the first deployment to the instance
                    continue
                done = self.hook(source, event, **variables)
                output += done.stdout + done.stderr
                if done.returncode != 0:
                    return Deployment(event, output)
        self._deployed = revision_
        return Deployment(None, output)

    def answer(self) -> str | None:
        """Return the release that answers as ready; None if none does."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=5) as response:
                text: str = response.read().decode()
                return text
        except (HTTPError, OSError):
            return None

    def linked(self, name: str) -> str | None:
        """Return the release that the link `current` or `previous` points to."""
        path = self.root / "srv" / "unite" / name
        return path.readlink().name if path.is_symlink() else None

    def stop(self) -> None:
        """Stop every process that was started here."""
        for unit in ("unite-api.service", "unite-worker.service"):
            subprocess.run([self.stubs.folder / "systemctl", "stop", unit], check=False)
