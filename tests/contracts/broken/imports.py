"""Stores of imports, of their rows and dry runs, of pictures and consents, and notices of uploads that are broken."""

import unicodedata
from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.contracts.broken.making import (
    Port,
    cut,
    doing_nothing,
    keeping,
    pages_of,
    returning,
    storing,
    uncopied,
    with_methods,
    with_value,
    without_microseconds,
)
from tests.contracts.broken.small_units import units_suite
from unite_core.imports.ports import OpenImports
from unite_core.leads.model import ImageStatus
from unite_core.leads.ports import ContactMatches
from unite_core.testing.contracts import (
    ConsentsContract,
    DryRunLeadsContract,
    ImportRowsContract,
    ImportsContract,
    LeadImagesContract,
    UploadNoticesContract,
)
from unite_core.testing.in_memory import FixedClock, InMemoryUploadNotices
from unite_core.testing.in_memory.imports import InMemoryDryRunLeads, InMemoryImportRows, InMemoryImports
from unite_core.testing.in_memory.leads import InMemoryLeadImages
from unite_core.testing.in_memory.messages import InMemoryConsents
from unite_core.testing.in_memory.upload_notices import HIDDEN_FOR, InMemoryUploadNotice

MICROSECOND = timedelta(microseconds=1)


def _changed(field: str, change: Callable[[Any], Any]) -> Any:
    return storing(InMemoryImports, lambda it: with_value(it, field, change), "add", "save")


def _later(base: type, name: str, parameter: str, by: timedelta = MICROSECOND) -> Any:
    """Return a store whose method gets a later moment than it was given."""
    original = getattr(base, name)
    return with_methods(
        base,
        **{name: lambda self, *given, **named: original(self, *given, **{**named, parameter: named[parameter] + by})},
    )


def _without_limit(base: type, name: str) -> Any:
    original = getattr(base, name)
    return with_methods(
        base, **{name: lambda self, *given, **named: original(self, *given, **{**named, "limit": 10_000})}
    )


def _put_import(self: Any, changed: Any) -> None:
    self._imports[changed.id] = deepcopy(changed)


def _open_sizes_in_32_bits(found: OpenImports) -> OpenImports:
    return replace(found, size=min(found.size, 2**32 - 1))


def _count_all(self: Any, user_id: Any) -> OpenImports:
    sizes = [it.size for it in self._imports.values() if it.created_by == user_id]
    return OpenImports(len(sizes), sum(sizes))


IMPORTS = Port(
    name="Imports",
    suite=units_suite(ImportsContract, "imports", of_changes=False),
    right=InMemoryImports,
    broken={
        "save does nothing": doing_nothing(InMemoryImports, "save"),
        "the version is not compared": with_methods(InMemoryImports, save=_put_import),
        "moments are cut to seconds": storing(InMemoryImports, without_microseconds, "add", "save"),
        "moments are cut to milliseconds": _changed(
            "started_at", lambda at: at and at.replace(microsecond=at.microsecond // 1000 * 1000)
        ),
        "names of files are cut": storing(InMemoryImports, cut("filename", 6), "add", "save"),
        "sizes have 32 bits": _changed("bytes_done", lambda size: min(size, 2**31 - 1)),
        "durations are whole seconds": _changed("seconds_worked", lambda seconds: float(int(seconds))),
        "options are the default ones": _changed("options", lambda options: type(options)()),
        "columns are not stored": _changed("columns", lambda _: None),
        "the failure is not stored": keeping(InMemoryImports, "failure", "add", "save"),
        "the correlation id is not stored": keeping(InMemoryImports, "correlation_id", "add", "save"),
        "a key is free after its import has ended": returning(
            InMemoryImports, "find_same_file", lambda it: None if it is None or it.status.ended else it
        ),
        "open imports are counted with those that ended": with_methods(InMemoryImports, count_open=_count_all),
        "sizes of open imports have 32 bits": returning(InMemoryImports, "count_open", _open_sizes_in_32_bits),
        "an import whose lease ends now is not due": with_methods(
            InMemoryImports,
            unfinished=lambda self, *, now, limit: InMemoryImports.unfinished(self, now=now - MICROSECOND, limit=limit),
        ),
        "an import whose lease ends soon is due": _later(InMemoryImports, "unfinished", "now"),
        "unfinished imports come newest first": returning(InMemoryImports, "unfinished", lambda found: found[::-1]),
        "unfinished imports have no limit": _without_limit(InMemoryImports, "unfinished"),
        "imports of the moment are abandoned": _later(InMemoryImports, "abandoned", "before"),
        "imports of the moment expire": _later(InMemoryImports, "expired", "before"),
        "an import expires by its report alone": with_methods(
            InMemoryImports,
            expired=lambda self, *, before: next(
                (
                    it.id
                    for it in sorted(self._imports.values(), key=lambda it: it.created_at)
                    if it.finished_at and it.finished_at < before and it.report_key and not it.undoing
                ),
                None,
            ),
        ),
        "a read import is the stored one": uncopied(InMemoryImports, "add", "get"),
        **pages_of(InMemoryImports),
    },
)


def _reject_replacing(self: Any, import_id: Any, rejections: Any) -> None:
    self._rejections[import_id] = {rejection.row: rejection for rejection in rejections}


def _reject_changed(change: Callable[[Any], Any]) -> Any:
    return with_methods(
        InMemoryImportRows,
        reject=lambda self, import_id, rejections: InMemoryImportRows.reject(
            self, import_id, [change(deepcopy(each)) for each in rejections]
        ),
    )


def _last_snapshot(self: Any, snapshots: Any) -> None:
    for snapshot in snapshots:
        self._snapshots.setdefault(snapshot.import_id, {})[snapshot.lead_id] = snapshot


def _first_snapshot(self: Any, snapshots: Any) -> None:
    for snapshot in snapshots:
        self._snapshots.setdefault(snapshot.import_id, {}).setdefault(snapshot.lead_id, snapshot)


def _delete_everywhere(self: Any, import_id: Any, lead_ids: Any) -> None:  # noqa: ARG001 - it is ignored
    for of_import in self._snapshots.values():
        for lead_id in lead_ids:
            of_import.pop(lead_id, None)


ROWS = Port(
    name="ImportRows",
    suite=units_suite(ImportRowsContract, "rows", of_changes=False),
    right=InMemoryImportRows,
    broken={
        "rejections replace the former ones": with_methods(InMemoryImportRows, reject=_reject_replacing),
        "cells are cut": _reject_changed(lambda it: replace(it, cells=tuple(cell[:20] for cell in it.cells))),
        "long cells are cut": _reject_changed(lambda it: replace(it, cells=tuple(cell[:1000] for cell in it.cells))),
        "cells are stripped": _reject_changed(lambda it: replace(it, cells=tuple(cell.strip() for cell in it.cells))),
        "cells are normalized": _reject_changed(
            lambda it: replace(it, cells=tuple(unicodedata.normalize("NFC", cell) for cell in it.cells))
        ),
        "empty cells are left out": _reject_changed(lambda it: replace(it, cells=tuple(filter(None, it.cells)))),
        "suggestions are not stored": _reject_changed(
            lambda it: replace(it, problems=tuple(replace(each, suggestion=None) for each in it.problems))
        ),
        "the first problem alone is stored": _reject_changed(lambda it: replace(it, problems=it.problems[:1])),
        "the duplicate row is not stored": _reject_changed(lambda it: replace(it, duplicate_row=None)),
        "rows are sorted as texts": with_methods(
            InMemoryImportRows,
            rejections=lambda self, import_id, *, kind, after_row, limit: sorted(
                InMemoryImportRows.rejections(self, import_id, kind=kind, after_row=after_row, limit=10_000),
                key=lambda it: str(it.row),
            )[:limit],
        ),
        "a list begins with the given row": with_methods(
            InMemoryImportRows,
            rejections=lambda self, import_id, *, kind, after_row, limit: InMemoryImportRows.rejections(
                self, import_id, kind=kind, after_row=after_row - 1, limit=limit
            ),
        ),
        "the limit counts rows of other kinds": with_methods(
            InMemoryImportRows,
            rejections=lambda self, import_id, *, kind, after_row, limit: [
                it
                for it in InMemoryImportRows.rejections(self, import_id, kind=None, after_row=after_row, limit=limit)
                if kind in (None, it.kind)
            ],
        ),
        "the last snapshot of a lead counts": with_methods(InMemoryImportRows, add_snapshots=_last_snapshot),
        "the first version of a lead counts": with_methods(InMemoryImportRows, add_snapshots=_first_snapshot),
        "no leads are all leads": with_methods(
            InMemoryImportRows,
            snapshots_of=lambda self, import_id, *, limit, lead_ids=None: InMemoryImportRows.snapshots_of(
                self, import_id, limit=limit, lead_ids=lead_ids or None
            ),
        ),
        "snapshots are of at most a thousand leads": with_methods(
            InMemoryImportRows,
            snapshots_of=lambda self, import_id, *, limit, lead_ids=None: InMemoryImportRows.snapshots_of(
                self, import_id, limit=limit, lead_ids=None if lead_ids is None else [*lead_ids][:1000]
            ),
        ),
        "snapshots of all imports are deleted": with_methods(InMemoryImportRows, delete_snapshots=_delete_everywhere),
        "a purge has no limit": _without_limit(InMemoryImportRows, "purge"),
        "a purge leaves snapshots": with_methods(
            InMemoryImportRows,
            purge=lambda self, import_id, *, limit: len(
                [self._rejections[import_id].pop(row) for row in [*self._rejections.get(import_id, {})][:limit]]
            ),
        ),
    },
)


def _dry_run_matches(change: Callable[[Any, ContactMatches], ContactMatches]) -> Any:
    return with_methods(
        InMemoryDryRunLeads,
        matches=lambda self, import_id, phones, emails: change(
            self, InMemoryDryRunLeads.matches(self, import_id, phones, emails)
        ),
    )


def _matches_with_changed(self: Any, import_id: Any, phones: Any, emails: Any) -> ContactMatches:
    real, mine = self._leads.matches(phones, emails), InMemoryDryRunLeads.matches(self, import_id, phones, emails)
    return ContactMatches({**real.by_phone, **mine.by_phone}, {**real.by_email, **mine.by_email})


def _put_everywhere(self: Any, import_id: Any, leads: Any) -> None:
    for each in {*self._rehearsed, import_id}:
        InMemoryDryRunLeads.put(self, each, leads)


def _put_alone(self: Any, import_id: Any, leads: Any) -> None:
    self._rehearsed.pop(import_id, None)
    InMemoryDryRunLeads.put(self, import_id, leads)


DRY_RUNS = Port(
    name="DryRunLeads",
    suite=units_suite(DryRunLeadsContract, "rehearsal", of_changes=False),
    right=InMemoryDryRunLeads,
    broken={
        "put does nothing": doing_nothing(InMemoryDryRunLeads, "put"),
        "clear does nothing": doing_nothing(InMemoryDryRunLeads, "clear"),
        "real leads alone match": with_methods(
            InMemoryDryRunLeads,
            matches=lambda self, _import_id, phones, emails: self._leads.matches(phones, emails),
        ),
        "real leads match though the dry run has changed them": with_methods(
            InMemoryDryRunLeads, matches=_matches_with_changed
        ),
        "dry runs share their leads": with_methods(InMemoryDryRunLeads, put=_put_everywhere),
        "put replaces all leads of a dry run": with_methods(InMemoryDryRunLeads, put=_put_alone),
        "leads match by phone alone": _dry_run_matches(lambda _, found: ContactMatches(found.by_phone, {})),
        "clear clears all dry runs": with_methods(
            InMemoryDryRunLeads, clear=lambda self, _import_id: self._rehearsed.clear()
        ),
    },
)


def _images_with(**methods: Any) -> Any:
    return with_methods(InMemoryLeadImages, **methods)


IMAGES = Port(
    name="LeadImages",
    suite=units_suite(LeadImagesContract, "images", of_changes=False),
    right=InMemoryLeadImages,
    broken={
        "save does nothing": doing_nothing(InMemoryLeadImages, "save"),
        "remove does nothing": doing_nothing(InMemoryLeadImages, "remove"),
        "moments are cut to seconds": storing(InMemoryLeadImages, without_microseconds, "add", "save"),
        "names of files are cut": storing(InMemoryLeadImages, cut("filename", 20), "add", "save"),
        "names of files are not stored": keeping(InMemoryLeadImages, "filename", "add", "save"),
        "an image is found by its id alone": _images_with(
            get=lambda self, _lead_id, image_id: InMemoryLeadImages.get(
                self, self._images[image_id].lead_id if image_id in self._images else _lead_id, image_id
            )
        ),
        "ready images alone are counted": _images_with(
            count_of_lead=lambda self, lead_id: sum(
                it.lead_id == lead_id and it.status is ImageStatus.READY for it in self._images.values()
            )
        ),
        "ready images are counted as announced": _images_with(
            count_announced=lambda self, user_id: sum(it.created_by == user_id for it in self._images.values())
        ),
        "ready images are abandoned": _images_with(
            abandoned=lambda self, *, before, limit: [it for it in self._images.values() if it.created_at < before][
                :limit
            ]
        ),
        "images of the moment are abandoned": _later(InMemoryLeadImages, "abandoned", "before"),
        "abandoned images have no limit": _without_limit(InMemoryLeadImages, "abandoned"),
        "announced images are listed": _images_with(
            page=lambda self, lead_id, request: InMemoryLeadImages.page(_with_all_ready(self), lead_id, request)
        ),
        "leads with announced images have none": _images_with(
            leads_with_images=lambda self, ids: (
                {it.lead_id for it in self._images.values() if it.status is ImageStatus.READY} & {*ids}
            )
        ),
        "all leads with images are returned": _images_with(
            leads_with_images=lambda self, _: {it.lead_id for it in self._images.values()}
        ),
        "images of at most a thousand leads are looked up": _images_with(
            leads_with_images=lambda self, ids: InMemoryLeadImages.leads_with_images(self, [*ids][:1000])
        ),
        "a read image is the stored one": uncopied(InMemoryLeadImages, "add", "get"),
        **pages_of(InMemoryLeadImages),
    },
)


def _with_all_ready(images: Any) -> Any:
    other = InMemoryLeadImages.__new__(InMemoryLeadImages)
    other._images = {key: replace(it, status=ImageStatus.READY) for key, it in images._images.items()}
    return other


def _sources(change: Callable[[str], str]) -> Any:
    return storing(InMemoryConsents, lambda it: with_value(it, "source", change), "add")


CONSENTS = Port(
    name="Consents",
    suite=units_suite(ConsentsContract, "consents", of_changes=False),
    right=InMemoryConsents,
    broken={
        "add does nothing": doing_nothing(InMemoryConsents, "add", result=True),
        "nobody has opted out": doing_nothing(InMemoryConsents, "opted_out", result=False),
        "an opt-out is for ever": with_methods(
            InMemoryConsents,
            opted_out=lambda self, phone: any(it.opted_out for it in self._consents.values() if it.phone == phone),
        ),
        "the consent that was stored last counts": with_methods(
            InMemoryConsents,
            opted_out=lambda self, phone: [
                False,
                *(it.opted_out for it in self._consents.values() if it.phone == phone),
            ][-1],
        ),
        "moments are cut to seconds": storing(InMemoryConsents, without_microseconds, "add"),
        "moments are cut to milliseconds": storing(
            InMemoryConsents,
            lambda it: with_value(it, "at", lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)),
            "add",
        ),
        "sources are compared without case": _sources(str.lower),
        "sources are cut": _sources(lambda source: source[:34]),
        "numbers are compared by their last ten digits": with_methods(
            InMemoryConsents,
            opted_out=lambda self, phone: any(
                InMemoryConsents.opted_out(self, it.phone)
                for it in self._consents.values()
                if it.phone[-10:] == phone[-10:]
            ),
        ),
        "a repeated consent replaces the first": with_methods(
            InMemoryConsents,
            add=lambda self, consent: (
                consent.source not in self._consents,
                self._consents.__setitem__(consent.source, consent),
            )[0],
        ),
    },
)


class _Notices(InMemoryUploadNotices):
    """Notices whose behaviour depends on these attributes."""

    notice: type[InMemoryUploadNotice] = InMemoryUploadNotice
    hidden = HIDDEN_FOR

    def announce(self, key: str) -> None:
        super().announce(key)
        last = [*self._notices][-1]
        old = self._notices[last]
        self._notices[last] = self.notice(old.id, old.key, self._notices, self._clock)


def _notices_suite(adapter: Any) -> type:
    class Suite(UploadNoticesContract):
        @pytest.fixture
        def notices(self) -> Any:
            self.clock = FixedClock()
            return adapter(self.clock)

        @pytest.fixture
        def outage(self) -> None:
            return None

        def announce(self, notices: Any, key: str) -> None:
            notices.announce(key)

        def pass_time(self, _notices: Any) -> None:
            self.clock.advance(HIDDEN_FOR)

    return Suite


def _notice(**methods: Any) -> Any:
    return type("Broken", (_Notices,), {"notice": with_methods(InMemoryUploadNotice, **methods)})


def _done_all(self: Any) -> None:
    self._notices.clear()


class _Released(InMemoryUploadNotice):
    """A notice that is deleted as soon as it was held."""

    def held(self) -> Any:
        self.done()
        return super().held()


def _receive_deleting(self: Any, **named: Any) -> Any:
    notice = InMemoryUploadNotices.receive(self, **named)
    if notice is not None:
        notice.done()
    return notice


NOTICES = Port(
    name="UploadNotices",
    suite=_notices_suite,
    right=InMemoryUploadNotices,
    broken={
        "nothing is received": doing_nothing(InMemoryUploadNotices, "receive"),
        "done does nothing": _notice(done=lambda _: None),
        "done deletes all notices": _notice(done=_done_all),
        "done a second time is an error": _notice(done=lambda self: self._notices.pop(self.id) and None),
        "a received notice is not hidden": _notice(hide=lambda _: None),
        "a received notice is gone": with_methods(InMemoryUploadNotices, receive=_receive_deleting),
        "a held notice is received by others": _notice(held=lambda _: nullcontext()),
        "a held notice is deleted": type("Broken", (_Notices,), {"notice": _Released}),
        "a notice has another id each time": with_methods(
            _Notices,
            receive=lambda self, **named: _renumbered(InMemoryUploadNotices.receive(self, **named)),
        ),
        "all notices have one id": with_methods(
            InMemoryUploadNotices,
            receive=lambda self, **named: _with_id(InMemoryUploadNotices.receive(self, **named)),
        ),
        "keys have no folders": with_methods(
            InMemoryUploadNotices,
            announce=lambda self, key: InMemoryUploadNotices.announce(self, key.rpartition("/")[2]),
        ),
        "keys have no suffix": with_methods(
            InMemoryUploadNotices,
            announce=lambda self, key: InMemoryUploadNotices.announce(self, key.rpartition(".")[0]),
        ),
    },
)


class _Renamed:
    """A notice with another id."""

    numbers = iter(range(1_000_000))

    def __init__(self, notice: Any, name: str) -> None:
        self._notice, self.id, self.key = notice, name, notice.key

    def held(self) -> Any:
        return self._notice.held()

    def done(self) -> None:
        self._notice.done()


def _renumbered(notice: Any) -> Any:
    return notice and _Renamed(notice, f"receipt-{next(_Renamed.numbers)}")


def _with_id(notice: Any) -> Any:
    return notice and _Renamed(notice, "the notice")


PORTS = (IMPORTS, ROWS, DRY_RUNS, IMAGES, CONSENTS, NOTICES)
