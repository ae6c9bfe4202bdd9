"""The command line parser: commands, options and help texts of `python -m entrypoints`."""

import argparse
from pathlib import Path

from unite_core.identity.model import Role
from unite_core.imports.csv.columns import FIELDS, IGNORE
from unite_core.imports.model import OnDuplicate
from unite_core.phone import is_country
from unite_core.zones import DEFAULT_ZONE

PROGRAM = "python -m entrypoints"


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; argparse exits with code 2 on a usage error."""
    root = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Unite, the backend a sales floor runs on.",
        epilog="All settings are environment variables; docs/reference/settings.md lists them.",
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve the API and work through imports, until Ctrl-C or SIGTERM")
    serve.add_argument("--until-stdin-ends", action="store_true", help="stop when standard input is closed")
    serve.add_argument("--no-worker", action="store_true", help="have other processes, `work`, work through imports")
    commands.add_parser("work", help="only work through imports; `serve` has a worker already")
    migrate = commands.add_parser("migrate", help="bring the database up to date; `serve` does that too")
    migrate.add_argument("--check", action="store_true", help="change nothing; exit with 1 if it is not up to date")
    _backup(commands.add_parser("backup", help="write database, files and keys to one archive; the service may run"))
    _restore(commands.add_parser("restore", help="restore such an archive into an empty installation"))
    _users(commands.add_parser("users", help="add and list users, and reset a password"))
    _import(commands.add_parser("import", help="import a CSV file of leads"))
    verify = commands.add_parser("verify-ledger", help="verify that no entry of the call ledger was changed")
    verify.description = (
        "Recompute and compare the hashes of all entries of the call ledger. This only reads the database, and the "
        "service may run. The exit code is 1 if an entry was changed, removed or inserted."
    )
    rebuild = commands.add_parser("rebuild-reports", help="recount the calls of all reports from the call ledger")
    rebuild.description = (
        "Recount the calls of all reports day by day. Reports stay correct in the meantime, and the service may run. "
        "This is only needed after the tables of reports were changed by hand."
    )
    _reconcile(commands.add_parser("reconcile", help="compare the call documents of MongoDB with the call ledger"))
    commands.add_parser("demo", help="show everything once, in a temporary folder")
    return root


def _backup(backup: argparse.ArgumentParser) -> None:
    backup.description = (
        "Write one archive (tar, readable for its owner alone) of the database, and of the files, the keys and the "
        "documents of MongoDB if there are any. The service may run. The archive contains password hashes and keys."
    )
    backup.add_argument("file", metavar="FILE", help="the archive, which must not exist yet; - for standard output")


def _restore(restore: argparse.ArgumentParser) -> None:
    restore.description = (
        "Restore an archive of `backup` into an empty data folder and empty databases; the service must not run. The "
        "archive is checked first, and database, call ledger, files and keys are verified."
    )
    restore.add_argument("file", metavar="FILE", help="the archive; - for standard input")


def _users(users: argparse.ArgumentParser) -> None:
    actions = users.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser(
        "create",
        help="add a user",
        description="Add a user. The password is asked for, or read from a file or from standard input; "
        "it is never an argument, which others on the machine could read.",
    )
    create.add_argument("email", metavar="EMAIL")
    create.add_argument("--name", required=True)
    create.add_argument("--role", choices=[role.value for role in Role], default=Role.AGENT.value)
    create.add_argument("--phone", help="for text messages; with a plus, or as of UNITE_DEFAULT_COUNTRY")
    create.add_argument("--password-file", type=Path, metavar="PATH", help="a file whose first line is the password")
    reset = actions.add_parser(
        "set-password",
        help="give a user a one-time password in place of a forgotten one",
        description="Give an active user a one-time password, which they have to change after their next login, within "
        "24 hours. All their sessions end. A random password is printed once, unless one is read from a file.",
    )
    reset.add_argument("email", metavar="EMAIL")
    reset.add_argument(
        "--password-file",
        type=Path,
        metavar="PATH",
        help="a file whose first line is the one-time password; - for standard input",
    )
    actions.add_parser("list", help="list all users")


def _reconcile(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Compare the calls of days in the rollups, in the call ledger and in the call documents in MongoDB. The exit "
        "code is 1 if something differs, or still differs after --repair."
    )
    command.add_argument("--date", metavar="DATE", help="the day, YYYY-MM-DD (default: today)")
    command.add_argument("--from", metavar="DATE", dest="first", help="the first of up to 400 days")
    command.add_argument("--to", metavar="DATE", dest="last", help="the last of them (default: the first)")
    command.add_argument("--tz", default=DEFAULT_ZONE, metavar="ZONE", help="the time zone of the days (default: UTC)")
    command.add_argument(
        "--repair",
        action="store_true",
        help="write documents that are missing, restore altered ones, remove doubled and unexpected ones",
    )


def _import(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Import a CSV file of leads into the database of this data folder, whether the service runs or not. "
        "Rejected rows are written beside the file as NAME.errors.csv, to be corrected and imported again."
    )
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument(
        "--on-duplicate",
        choices=[choice.value for choice in OnDuplicate],
        default=OnDuplicate.SKIP.value,
        help="what to do with rows that repeat a lead (default: skip)",
    )
    command.add_argument(
        "--default-country", type=_country, metavar="CC", help="country of phone numbers without a plus"
    )
    command.add_argument("--default-source", metavar="SOURCE", help="source of leads whose row has none")
    command.add_argument("--assigned-to", metavar="EMAIL", help="user for leads whose row has none")
    command.add_argument(
        "--column",
        action="append",
        type=_column,
        default=[],
        metavar="HEADER=FIELD",
        dest="columns",
        help=f"map a column to a field: one of {', '.join(FIELDS)} or {IGNORE}; may be given several times",
    )
    command.add_argument("--dry-run", action="store_true", help="show what would happen, and change nothing")
    command.add_argument("--as", metavar="EMAIL", dest="acting", help="user who imports (default: the oldest admin)")


def _country(text: str) -> str:
    code = text.upper()
    if not is_country(code):
        raise argparse.ArgumentTypeError(f"{text} is not a country; write two letters of ISO 3166-1, such as US")
    return code


def _column(text: str) -> tuple[str, str]:
    header, _, field = text.rpartition("=")
    if not header.strip() or field not in (*FIELDS, IGNORE):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not HEADER=FIELD; a field is one of {', '.join(FIELDS)}, {IGNORE}"
        )
    return header, field
