"""MySQL as a test server, or MariaDB if there is no MySQL."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pymysql
from sqlalchemy import make_url

from tests.servers.kinds import NoAnswer, Program, ServerKind

PASSWORD = "unite"

WITHOUT_TLS = "ssl_disabled"
"""In the query of the URL: TLS, which the driver uses where it can, took a third of the time of tests with MySQL.

For each connection it loads all certificate authorities of the machine.
"""

_ACCOUNT = f"""\
DROP USER IF EXISTS 'root'@'127.0.0.1';
CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY '{PASSWORD}';
GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;
"""
"""The privileges of root in the Docker image, as SQL for each start."""


def version(url: str) -> str:
    """Return the version of the server; raise NoAnswer."""
    target = make_url(url)
    try:
        connection = pymysql.connect(
            host=target.host,
            port=target.port or 3306,
            user=target.username,
            password=target.password or "",
            ssl_disabled=WITHOUT_TLS in target.query,
            connect_timeout=5,
            read_timeout=5,
        )
    except (pymysql.MySQLError, OSError) as error:
        raise NoAnswer(str(error)) from error
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def _prepare(program: str, folder: Path) -> None:
    """Create an empty data folder that belongs to the user of the server."""
    data = folder / "data"
    (folder / "account.sql").write_text(_ACCOUNT)
    if _is_mariadb(program):
        data.mkdir()
        installer = shutil.which("mariadb-install-db") or shutil.which("mysql_install_db") or "mariadb-install-db"
        command = [installer, "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]
    else:
        command = [program, "--no-defaults", "--initialize-insecure"]
    user = _user()
    if user:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user)
    subprocess.run([*command, f"--datadir={data}", *_as(user)], check=True, capture_output=True, text=True, timeout=120)


def _command(program: str, folder: Path, port: int) -> Sequence[str]:
    mysql_alone = () if _is_mariadb(program) else ("--mysqlx=OFF",)
    return [
        program,
        "--no-defaults",
        f"--datadir={folder / 'data'}",
        f"--init-file={folder / 'account.sql'}",
        f"--socket={folder / 'socket'}",
        f"--pid-file={folder / 'server.pid'}",
        "--bind-address=127.0.0.1",
        f"--port={port}",
        "--max-connections=300",
        # A killed server loses no data by this, only a power cut would.
        "--innodb-flush-log-at-trx-commit=2",
        "--innodb-buffer-pool-size=128M",
        "--performance-schema=OFF",
        "--character-set-server=utf8mb4",
        "--skip-log-bin",
        "--skip-name-resolve",
        *mysql_alone,
        *_as(_user()),
    ]


def _is_mariadb(program: str) -> bool:
    """Return whether the binary is MariaDB, which is also called mysqld."""
    version = subprocess.run(
        [program, "--no-defaults", "--version"], capture_output=True, text=True, timeout=30, check=False
    )
    return "MariaDB" in version.stdout


def _user() -> str | None:
    """Return the user to run the server as if root starts it, because it refuses to run as root; else None."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam("mysql").pw_name
    return "nobody"


def _as(user: str | None) -> Sequence[str]:
    return [f"--user={user}"] if user else []


MYSQL = ServerKind(
    name="MySQL",
    service="mysql",
    container_port=3306,
    variable="UNITE_TEST_MYSQL_URL",
    url=f"mysql+pymysql://root:{PASSWORD}@127.0.0.1:{{port}}/?{WITHOUT_TLS}=1",
    version=version,
    programs=[Program("mysqld", _command, _prepare), Program("mariadbd", _command, _prepare)],
    package="mariadb-server",
)
