"""Tests of concurrent requests of a user with the same file: they share one import."""

import io
from collections.abc import Callable
from typing import Self

import pytest

from unite_core import FileToImport, ImportStatus, LeadImport, NewImport, Unavailable
from unite_core.deadlocks import MAX_TRANSACTION_ATTEMPTS
from unite_core.files import upload_key
from unite_core.imports.use_cases import ImportStoredFile, StartImport
from unite_core.testing.in_memory import InMemoryImports, InMemoryUnitOfWork, InMemoryUnitOfWorkFactory
from unite_core.testing.in_memory.tables import Tables
from unite_core.testing.scenario import Scenario

CSV = b"Name,Phone\nGrace,+12125550101\n"


class LateWork(InMemoryUnitOfWorkFactory):
    """Units of work over the store of `work`, of which the first ones do not see the import of the same file."""

    def __init__(self, work: InMemoryUnitOfWorkFactory, *, times: int) -> None:
        super().__init__(work._store)
        self.times = times

    def __call__(self) -> InMemoryUnitOfWork:
        return _LateUnit(self)


class _LateUnit(InMemoryUnitOfWork):
    def __init__(self, late: LateWork) -> None:
        super().__init__(late._store)
        self._late = late

    def __enter__(self) -> Self:
        super().__enter__()
        self.imports = _LateImports(self._tables, self._late)
        return self


class _LateImports(InMemoryImports):
    def __init__(self, tables: Tables, late: LateWork) -> None:
        super().__init__(tables)
        self._late = late

    def find_same_file(self, same_file_key: str) -> LeadImport | None:
        # A refused import is looked up too, by the port itself.
        if self._late.times and not self._refusing:
            self._late.times -= 1
            return None
        return super().find_same_file(same_file_key)

    _refusing = False

    def _refuse_same_file(self, changed: LeadImport) -> None:
        self._refusing = True
        super()._refuse_same_file(changed)
        self._refusing = False


def send(scenario: Scenario, work: InMemoryUnitOfWorkFactory) -> LeadImport:
    ports = scenario.ports
    stored = scenario.unite.imports.store_file(scenario.admin, io.BytesIO(CSV))
    use_case = ImportStoredFile(work, ports.files, ports.jobs, ports.clock, ports.ids)
    return use_case(scenario.admin, FileToImport(stored=stored, filename="leads.csv"))


def upload(scenario: Scenario, work: InMemoryUnitOfWorkFactory) -> LeadImport:
    ports = scenario.ports
    coming = scenario.unite.imports.announce(scenario.admin, NewImport(filename="leads.csv", size=len(CSV))).lead_import
    with ports.files.write(upload_key(coming.key), content_type="text/csv") as stream:
        stream.write(CSV)
    return StartImport(work, ports.files, ports.jobs, ports.clock)(scenario.admin, coming.id)


WAYS = pytest.mark.parametrize("way", [send, upload])
Way = Callable[[Scenario, InMemoryUnitOfWorkFactory], LeadImport]


@WAYS
def test_the_second_request_gets_the_import_of_the_first(scenario: Scenario, way: Way) -> None:
    first = way(scenario, scenario.ports.work)

    second = way(scenario, LateWork(scenario.ports.work, times=1))

    assert second.id == first.id
    assert second.status is ImportStatus.QUEUED
    assert scenario.ports.jobs.imports == [first.id]


@WAYS
def test_a_request_that_never_sees_the_first_import_is_unavailable(scenario: Scenario, way: Way) -> None:
    way(scenario, scenario.ports.work)

    with pytest.raises(Unavailable):
        way(scenario, LateWork(scenario.ports.work, times=MAX_TRANSACTION_ATTEMPTS))
