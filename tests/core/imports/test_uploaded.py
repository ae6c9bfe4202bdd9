"""Tests of upload notices: each starts the import of its file once, and returns the outcome."""

import io
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from tests.core.imports.accidents import FailingWork
from unite_core import (
    Actor,
    Conflict,
    FileToImport,
    ImportStatus,
    LeadImport,
    NewImport,
    Role,
    Unavailable,
    UploadOutcome,
)
from unite_core.files import upload_key
from unite_core.imports.use_cases import StartImport
from unite_core.imports.use_cases.start import file_key
from unite_core.testing.builders import an_id
from unite_core.testing.scenario import Scenario

CSV = b"Name,Phone\nGrace,+12125550101\n"


def announce(scenario: Scenario) -> LeadImport:
    return scenario.unite.imports.announce(scenario.manager, NewImport(filename="leads.csv", size=len(CSV))).lead_import


def put(scenario: Scenario, key: str) -> str:
    with scenario.ports.files.write(key, content_type="text/csv") as stream:
        stream.write(CSV)
    return key


def uploaded(scenario: Scenario) -> LeadImport:
    coming = announce(scenario)
    put(scenario, upload_key(coming.key))
    return coming


def notice(scenario: Scenario, of: LeadImport) -> UploadOutcome:
    return scenario.unite.imports.start_uploaded(upload_key(of.key))


def test_an_upload_notice_starts_the_import_on_behalf_of_its_creator(scenario: Scenario) -> None:
    coming = uploaded(scenario)

    outcome = scenario.unite.imports.start_uploaded(upload_key(coming.key), "the notice")

    assert (outcome, outcome.settled) == (UploadOutcome.STARTED, True)
    assert scenario.ports.jobs.imports == [coming.id]
    done = scenario.run_import(coming.id)
    assert (done.counts.created, done.created_by, done.correlation_id) == (1, scenario.manager.user_id, "the notice")


def test_a_repeated_notice_starts_the_import_once(scenario: Scenario) -> None:
    coming = uploaded(scenario)

    outcomes = [notice(scenario, coming) for _ in range(3)]

    assert outcomes == [UploadOutcome.STARTED, UploadOutcome.KNOWN, UploadOutcome.KNOWN]
    assert scenario.ports.jobs.imports == [coming.id]


def test_a_notice_for_an_import_that_was_started_already_does_nothing(scenario: Scenario) -> None:
    coming = uploaded(scenario)
    started = scenario.unite.imports.start(scenario.manager, coming.id)

    outcome = notice(scenario, coming)

    assert (outcome, outcome.settled) == (UploadOutcome.KNOWN, True)
    assert scenario.get_import(coming.id) == started


def test_a_notice_does_not_start_a_cancelled_import(scenario: Scenario) -> None:
    coming = uploaded(scenario)
    scenario.unite.imports.cancel(scenario.manager, coming.id)

    assert notice(scenario, coming) is UploadOutcome.KNOWN
    assert scenario.get_import(coming.id).status is ImportStatus.CANCELLED


def test_the_import_of_a_file_that_was_imported_already_is_cancelled(scenario: Scenario) -> None:
    first, second = uploaded(scenario), uploaded(scenario)
    notice(scenario, first)

    assert notice(scenario, second) is UploadOutcome.STARTED
    assert scenario.get_import(second.id).status is ImportStatus.CANCELLED
    assert scenario.ports.jobs.imports == [first.id]


@pytest.mark.parametrize("change", [{"active": False}, {"role": Role.AGENT}], ids=["who left", "who is no manager now"])
def test_no_import_is_started_for_a_deactivated_user_or_an_agent(scenario: Scenario, change: dict[str, object]) -> None:
    coming = uploaded(scenario)
    scenario.update_user(scenario.manager, **change)

    outcome = notice(scenario, coming)

    assert (outcome, outcome.settled) == (UploadOutcome.REFUSED, True)
    assert scenario.ports.jobs.imports == []


@pytest.mark.parametrize(
    "misspell",
    [
        lambda key: key.removeprefix("uploads/"),
        lambda key: key.removesuffix(".csv"),
        lambda key: key.replace("imports", "images"),
        lambda key: key.replace("-", ""),
        lambda key: key.upper(),
        lambda _: "",
    ],
    ids=["not an upload", "no CSV file", "of a picture", "another spelling of the id", "in capitals", "empty"],
)
def test_a_key_that_is_not_of_an_import_is_unknown(scenario: Scenario, misspell: Callable[[str], str]) -> None:
    coming = uploaded(scenario)

    outcome = scenario.unite.imports.start_uploaded(misspell(upload_key(coming.key)))

    assert (outcome, outcome.settled) == (UploadOutcome.UNKNOWN, False)
    assert scenario.ports.jobs.imports == []


def test_a_file_without_an_import_is_unknown(scenario: Scenario) -> None:
    key = put(scenario, upload_key(file_key(an_id())))

    assert scenario.unite.imports.start_uploaded(key) is UploadOutcome.UNKNOWN


def test_a_file_sent_with_its_request_is_unknown_until_its_import_is_created(scenario: Scenario) -> None:
    stored = scenario.unite.imports.store_file(scenario.manager, io.BytesIO(CSV))
    assert scenario.unite.imports.start_uploaded(stored.key) is UploadOutcome.UNKNOWN

    scenario.unite.imports.import_stored_file(scenario.manager, FileToImport(stored=stored, filename="leads.csv"))

    assert scenario.unite.imports.start_uploaded(stored.key) is UploadOutcome.KNOWN


def test_a_discarded_file_is_gone(scenario: Scenario) -> None:
    stored = scenario.unite.imports.store_file(scenario.manager, io.BytesIO(CSV))
    scenario.unite.imports.store_file.discard(stored)

    outcome = scenario.unite.imports.start_uploaded(stored.key)

    assert (outcome, outcome.settled) == (UploadOutcome.GONE, True)


def test_a_missing_file_is_gone(scenario: Scenario) -> None:
    coming = announce(scenario)

    assert notice(scenario, coming) is UploadOutcome.GONE
    assert scenario.get_import(coming.id).status is ImportStatus.AWAITING_UPLOAD


class Overtaken(StartImport):
    """A use case that another request precedes by cancelling the import."""

    def __call__(self, actor: Actor, import_id: UUID, expected_version: int | None = None) -> LeadImport:
        with self.work() as work:
            coming = work.imports.get(import_id)
            coming.request_cancel(self.clock.now())
            coming.mark_updated()
            work.imports.save(coming)
            work.commit()
        return super().__call__(actor, import_id, expected_version)


def test_an_import_that_is_cancelled_meanwhile_is_not_started(scenario: Scenario) -> None:
    coming = uploaded(scenario)
    ports = scenario.ports
    start = Overtaken(ports.work, ports.files, ports.jobs, ports.clock)

    outcome = replace(scenario.unite.imports.start_uploaded, start=start)(upload_key(coming.key))

    assert outcome is UploadOutcome.KNOWN
    assert ports.jobs.imports == []


@pytest.mark.parametrize(
    "failure",
    [Unavailable("The database does not answer."), Conflict("The same file is being imported.", code="same_file")],
)
def test_an_error_is_raised_and_the_next_notice_starts_the_import(scenario: Scenario, failure: Exception) -> None:
    coming = uploaded(scenario)
    start_uploaded = scenario.unite.imports.start_uploaded
    failing = replace(start_uploaded.start, work=FailingWork(scenario.ports.work, failure, at=0))

    with pytest.raises(type(failure)):
        replace(start_uploaded, start=failing)(upload_key(coming.key))

    assert notice(scenario, coming) is UploadOutcome.STARTED
