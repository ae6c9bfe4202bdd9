"""The `migrate` command: migrate or check the database, grant rights, prepare the AWS stand-in."""

from argparse import Namespace
from collections.abc import Mapping

from entrypoints.bootstrap import (
    ExcessPrivileges,
    StartRefused,
    database_is_current,
    database_is_later,
    grant_mongodb_privileges,
    grant_rights,
    provide_storage,
)
from entrypoints.cli.application import (
    FAILED,
    CommandFailed,
    errors_as_command_failed,
    open_application,
    print_error,
    settings_for,
)


def run(arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return the exit code."""
    try:
        with errors_as_command_failed():
            return _check(environ) if arguments.check else _migrate(environ)
    except CommandFailed as error:
        print_error(str(error))
        return error.code


def _check(environ: Mapping[str, str]) -> int:
    try:
        current = database_is_current(settings_for(environ))
    except StartRefused as error:
        raise CommandFailed(str(error)) from error
    if current:
        print("The database is up to date.")
        return 0
    print("The database is not up to date; run migrate without --check.")
    return FAILED


def _migrate(environ: Mapping[str, str]) -> int:
    with open_application(environ) as started:
        later = database_is_later(started.settings)
        if later:
            print("The database is at a later schema, with which this version can work. It was not changed.")
        else:
            print("The database is up to date.")
        try:
            # Only the later version knows which rights the tables of its schema need.
            beyond = None if later else grant_rights(started.settings)
            granted = grant_mongodb_privileges(started.settings)
        except StartRefused as error:
            raise CommandFailed(str(error)) from error
        if beyond is not None:
            _print_rights(started.settings.service_account, beyond)
        if granted:
            print(
                "The service's account on MongoDB may read the activity log and add to it, write call documents, "
                "and nothing else."
            )
        if provide_storage(started.settings):
            print("What stands in for AWS has the buckets, the queue and the topic that are set.")
    return 0


def _print_rights(account: str | None, beyond: ExcessPrivileges) -> None:
    if not beyond.seen:
        print(f"{account} has its rights on every table. The migrating account may not see whether it has others.")
    elif not beyond.rights:
        print(f"{account} has its rights on every table, and no others.")
    else:
        print(f"{account} has its rights on every table.")
        print_error(f"{account} may do more than it has to, which could not be taken away: {'; '.join(beyond.rights)}.")
