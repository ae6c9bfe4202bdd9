"""The `users` command: add users, list them, and set one-time passwords."""

import getpass
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from entrypoints.bootstrap import OPERATOR, Started
from entrypoints.cli.application import USAGE, CommandFailed, errors_as_command_failed, open_application, print_error
from unite_core.identity.model import Role, User
from unite_core.identity.ports import UserFilter
from unite_core.identity.use_cases import NewUser, PasswordReset
from unite_core.identity.validation import email_key
from unite_core.paging import MAX_LIMIT, PageRequest

_STANDARD_INPUT = Path("-")


def run(arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return the exit code."""
    try:
        with errors_as_command_failed(), open_application(environ) as started:
            if arguments.action == "list":
                _list(started)
            elif arguments.action == "set-password":
                _set_password(started, arguments)
            else:
                _create(started, arguments)
    except CommandFailed as error:
        print_error(str(error))
        return error.code
    return 0


def all_users(started: Started, filters: UserFilter | None = None) -> Iterator[User]:
    """Yield all users, or those that match the filters, newest first."""
    request = PageRequest(limit=MAX_LIMIT)
    while True:
        page = started.unite.identity.list_users(OPERATOR, filters or UserFilter(), request)
        yield from page.items
        if page.next is None:
            return
        request = PageRequest(limit=MAX_LIMIT, after=page.next)


def active_user(started: Started, email: str) -> User:
    """Return the active user with this address; raise `CommandFailed`."""
    for user in all_users(started, UserFilter(active=True)):
        if user.email == email_key(email):
            return user
    raise CommandFailed(f"There is no active user {email}.", USAGE)


def _create(started: Started, arguments: Namespace) -> None:
    new = NewUser(
        email=arguments.email,
        name=arguments.name,
        role=Role(arguments.role),
        phone=arguments.phone,
        password=_password(arguments.password_file),
    )
    # The owner of the data folder needs no permission, so that a first admin can be added.
    user = started.unite.identity.create_user(OPERATOR, new)
    print(f"{user.email} was added as {user.role}.")


def _set_password(started: Started, arguments: Namespace) -> None:
    path: Path | None = arguments.password_file
    password = None if path is None else _password(None if path == _STANDARD_INPUT else path)
    user = active_user(started, arguments.email)
    one_time = started.unite.identity.reset_password(OPERATOR, PasswordReset(user_id=user.id, password=password))
    until = f"{one_time.expires_at:%Y-%m-%d %H:%M} UTC"
    print(f"{user.email} has a one-time password until {until}, and has to change it after logging in.")
    if password is None:
        print(one_time.password)


def _password(path: Path | None) -> str:
    if path is not None:
        try:
            return path.read_text("utf-8").partition("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandFailed(f"The password cannot be read from {path}: {error}", USAGE) from error
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise CommandFailed("These are two different passwords.", USAGE)
    return password


def _list(started: Started) -> None:
    table = Table("E-mail", "Name", "Role", "Active", "Since", box=None, pad_edge=False, header_style="bold")
    for user in all_users(started):
        active = "yes" if user.active else "no"
        table.add_row(user.email, user.name, user.role, active, f"{user.created_at:%Y-%m-%d}")
    Console(markup=False, highlight=False).print(table)
