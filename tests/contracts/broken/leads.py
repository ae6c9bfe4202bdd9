"""Broken stores of leads."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.contracts.broken.making import (
    Port,
    doing_nothing,
    in_the_basic_plane,
    keeping,
    pages_of,
    returning,
    storing,
    uncopied,
    with_methods,
    with_value,
    without_accents,
    without_microseconds,
)
from tests.contracts.broken.small_units import SmallUnit
from unite_core.leads.model import DuplicateLead
from unite_core.leads.ports import ContactMatches
from unite_core.phone import Phone
from unite_core.testing.contracts import LeadListContract, LeadsContract
from unite_core.testing.in_memory.leads import InMemoryLeads
from unite_core.testing.in_memory.tables import Store


def suite(make: Callable[..., Any]) -> type:
    class Suite(LeadsContract, LeadListContract):
        @pytest.fixture
        def work(self) -> Any:
            store = Store()
            return lambda: SmallUnit(store, leads=lambda tables: make(tables, set()))

    return Suite


def _details(**changes: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function that changes details of a lead, or of each of several."""

    def change(given: Any) -> Any:
        for lead in given if isinstance(given, list) else [given]:
            for name, value in changes.items():
                lead.details = replace(lead.details, **{name: value(getattr(lead.details, name))})
        return given

    return change


def _each(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda given: [change(lead) for lead in given] if isinstance(given, list) else change(given)


def _filtered(change: Callable[[Any], Any]) -> Any:
    return with_methods(
        InMemoryLeads, page=lambda self, filters, request: InMemoryLeads.page(self, change(filters), request)
    )


def _ignoring(name: str, value: Any) -> Any:
    return _filtered(lambda filters: replace(filters, **{name: value}))


def _refusing(change: Callable[[Any], Any]) -> Any:
    """Return a store that looks for the duplicates of something else than the lead."""
    return with_methods(
        InMemoryLeads,
        _refuse_duplicate=lambda self, lead: InMemoryLeads._refuse_duplicate(self, change(deepcopy(lead))),
    )


def _one_duplicate(self: Any, lead: Any) -> None:
    try:
        InMemoryLeads._refuse_duplicate(self, lead)
    except DuplicateLead as error:
        raise DuplicateLead(error.duplicates[:1]) from None


def _add_one_by_one(self: Any, leads: Any) -> None:
    for lead in leads:
        self._refuse_duplicate(lead)
        self._put(lead)


def _save_any(self: Any, lead: Any) -> None:
    stored = self._leads.get(lead.id)
    InMemoryLeads.save(self, lead) if stored and stored.version == lead.version - 1 else self._put(lead)


def _save_unknown(self: Any, lead: Any) -> None:
    InMemoryLeads.save(self, lead) if lead.id in self._leads else self._put(lead)


def _save_unknown_silently(self: Any, lead: Any) -> None:
    if lead.id in self._leads:
        InMemoryLeads.save(self, lead)


def _save_keeping_contacts(self: Any, lead: Any) -> None:
    phones, emails = dict(self._phones), dict(self._emails)
    InMemoryLeads.save(self, lead)
    for table, before in ((self._phones, phones), (self._emails, emails)):
        for key, value in before.items():
            table.setdefault(key, value)


def _restore(self: Any, lead: Any) -> None:
    stored = self._leads.get(lead.id)
    if stored is not None and stored.deleted_at is not None and lead.deleted_at is None:
        self._put(lead)
    else:
        InMemoryLeads.save(self, lead)


def _save_with_stored(name: str) -> Any:
    def save(self: Any, lead: Any) -> None:
        stored, changed = self._leads.get(lead.id), deepcopy(lead)
        if stored is not None:
            setattr(changed, name, getattr(stored, name))
        InMemoryLeads.save(self, changed)

    return with_methods(InMemoryLeads, save=save)


def _deleted_too(name: str) -> Any:
    """Return a store with a method that treats deleted leads as if they were not."""
    original = getattr(InMemoryLeads, name)

    def call(self: Any, *given: Any, **named: Any) -> Any:
        before = self._leads
        self._leads = {key: replace(lead, deleted_at=None) for key, lead in before.items()}
        try:
            return original(self, *given, **named)
        finally:
            self._leads = before

    return with_methods(InMemoryLeads, **{name: call})


def _untouched(change: Callable[..., Any]) -> Any:
    return with_methods(InMemoryLeads, untouched_of_import=change)


def _touched_too(self: Any, import_id: Any, *, after_row: int, limit: int) -> Any:
    found = [it for it in self._living() if it.import_id == import_id and (it.import_row or 0) > after_row]
    return deepcopy(sorted(found, key=lambda it: it.import_row or 0)[:limit])


def _of_any_import(self: Any, _: Any, *, after_row: int, limit: int) -> Any:
    found = [it for it in self._living() if it.version == 1 and it.import_row and it.import_row > after_row]
    return deepcopy(sorted(found, key=lambda it: it.import_row or 0)[:limit])


def _page_where(matches: Callable[[Any, Any], bool], **without: Any) -> Any:
    """Return a store that compares one condition by itself."""

    def page(self: Any, filters: Any, request: Any) -> Any:
        before = self._leads
        self._leads = {key: lead for key, lead in before.items() if matches(lead, filters)}
        try:
            return InMemoryLeads.page(self, replace(filters, **without), request)
        finally:
            self._leads = before

    return with_methods(InMemoryLeads, page=page)


def _unrefusing(store: Any) -> Any:
    unrefusing = object.__new__(with_methods(InMemoryLeads, _refuse_duplicate=lambda *_: None))
    vars(unrefusing).update(vars(store))
    return unrefusing


def _page_of_all(self: Any, filters: Any, request: Any) -> Any:
    unhidden = object.__new__(InMemoryLeads)
    vars(unhidden).update(vars(self))
    unhidden._leads = {key: replace(lead, deleted_at=None) for key, lead in self._leads.items()}
    return InMemoryLeads.page(unhidden, filters, request)


PORT = Port(
    name="Leads",
    suite=suite,
    right=InMemoryLeads,
    broken={
        "add does nothing": doing_nothing(InMemoryLeads, "add", "add_many"),
        "add_many does nothing": with_methods(
            InMemoryLeads,
            add=lambda self, lead: InMemoryLeads.add_many(self, [lead]),
            add_many=lambda *_: None,
        ),
        "save does nothing": doing_nothing(InMemoryLeads, "save"),
        "matches finds nothing": with_methods(InMemoryLeads, matches=lambda *_: ContactMatches()),
        "no lead is a duplicate": doing_nothing(InMemoryLeads, "_refuse_duplicate"),
        "duplicates by phone are not found": _refusing(_details(phone=lambda _: None)),
        "duplicates by e-mail are not found": _refusing(_details(email=lambda _: None)),
        "extensions of phones are ignored": _refusing(_details(phone=lambda phone: phone and Phone(phone.number))),
        "a duplicate names one lead alone": with_methods(InMemoryLeads, _refuse_duplicate=_one_duplicate),
        "a batch with a duplicate is added up to it": with_methods(InMemoryLeads, add_many=_add_one_by_one),
        "a saved lead is not compared with others": with_methods(
            InMemoryLeads,
            save=lambda self, lead: InMemoryLeads.save(_unrefusing(self), lead),
        ),
        "a deleted lead is found": _deleted_too("get"),
        "deleted leads are found by their ids": with_methods(
            InMemoryLeads,
            find=lambda self, ids: {it: deepcopy(self._leads[it]) for it in ids if it in self._leads},
        ),
        "deleted leads are listed": with_methods(InMemoryLeads, page=_page_of_all),
        "a deleted lead keeps its phone and e-mail": with_methods(InMemoryLeads, save=_save_keeping_contacts),
        "a restored lead is not compared with others": with_methods(InMemoryLeads, save=_restore),
        "an unknown lead is added by saving": with_methods(InMemoryLeads, save=_save_unknown),
        "an unknown lead is saved silently": with_methods(InMemoryLeads, save=_save_unknown_silently),
        "the version is not compared": with_methods(InMemoryLeads, save=_save_any),
        "moments are cut to seconds": storing(InMemoryLeads, _each(without_microseconds), "add_many", "save"),
        "names are cut": storing(InMemoryLeads, _details(name=lambda name: name[:191]), "add_many", "save"),
        "changed names are cut": storing(InMemoryLeads, _details(name=lambda name: name[:199]), "save"),
        "e-mail addresses are cut": storing(
            InMemoryLeads, _details(email=lambda email: email and email[:128]), "add_many", "save"
        ),
        "sources are cut": storing(InMemoryLeads, _details(source=lambda it: it[:32]), "add_many", "save"),
        "companies are cut": storing(InMemoryLeads, _details(company=lambda it: it and it[:199]), "add_many", "save"),
        "companies are in lower case": storing(
            InMemoryLeads, _details(company=lambda it: it and it.lower()), "add_many", "save"
        ),
        "the company is not stored": storing(InMemoryLeads, _details(company=lambda _: None), "add_many", "save"),
        "a changed company is not stored": storing(InMemoryLeads, _details(company=lambda _: None), "save"),
        "extensions are not stored": storing(
            InMemoryLeads, _details(phone=lambda phone: phone and Phone(phone.number)), "add_many", "save"
        ),
        "the agent is not stored": storing(InMemoryLeads, _details(assigned_to=lambda _: None), "add_many", "save"),
        "the time of a status choice is not stored": storing(
            InMemoryLeads, _each(lambda it: with_value(it, "status_chosen_at", lambda _: None)), "add_many", "save"
        ),
        "the time of a status choice stays that of the first": _save_with_stored("status_chosen_at"),
        "the user who created a lead is not stored": storing(
            InMemoryLeads, _each(lambda it: with_value(it, "created_by", lambda _: None)), "add_many", "save"
        ),
        "saving forgets the import": keeping(InMemoryLeads, "import_id", "save"),
        "the time of a change is not stored": _save_with_stored("updated_at"),
        "leads are found by at most a thousand ids": with_methods(
            InMemoryLeads, find=lambda self, ids: InMemoryLeads.find(self, [*ids][:1000])
        ),
        "leads are matched by at most a thousand keys": with_methods(
            InMemoryLeads,
            matches=lambda self, phones, emails: InMemoryLeads.matches(self, [*phones][:1000], [*emails][:1000]),
        ),
        "a lead that matches twice is two objects": returning(
            InMemoryLeads, "matches", lambda it: ContactMatches(deepcopy(it.by_phone), deepcopy(it.by_email))
        ),
        "a lead matches by its phone alone": returning(
            InMemoryLeads, "matches", lambda it: ContactMatches(it.by_phone)
        ),
        "a lead matches by its e-mail alone": returning(
            InMemoryLeads, "matches", lambda it: ContactMatches({}, it.by_email)
        ),
        "a read lead is the stored one": uncopied(InMemoryLeads, "get"),
        "found leads are the stored ones": uncopied(InMemoryLeads, "find"),
        "matching leads are the stored ones": uncopied(InMemoryLeads, "matches"),
        "untouched leads are the stored ones": uncopied(InMemoryLeads, "untouched_of_import"),
        "a stored lead is the one that was given": uncopied(InMemoryLeads, "_put"),
        "touched leads of an import are returned": _untouched(_touched_too),
        "untouched leads of other imports are returned": _untouched(_of_any_import),
        "untouched leads begin with the given row": _untouched(
            lambda self, it, *, after_row, limit: InMemoryLeads.untouched_of_import(
                self, it, after_row=after_row - 1, limit=limit
            )
        ),
        "untouched leads are unsorted": returning(
            InMemoryLeads, "untouched_of_import", lambda leads: sorted(leads, key=lambda it: it.id)
        ),
        "untouched leads have no limit": _untouched(
            lambda self, it, *, after_row, limit: InMemoryLeads.untouched_of_import(
                self, it, after_row=after_row, limit=limit + 1000
            )
        ),
        "the filter by status is ignored": _ignoring("statuses", frozenset()),
        "the filter by source is ignored": _ignoring("sources", frozenset()),
        "the filter by company is ignored": _ignoring("companies", frozenset()),
        "the filter by agent is ignored": _ignoring("assigned_to", frozenset()),
        "the filter by visibility is ignored": _ignoring("visible_to", None),
        "the filter by words is ignored": _ignoring("q", None),
        "the beginning of a time span is ignored": _ignoring("created_from", None),
        "the end of a time span is ignored": _ignoring("created_to", None),
        "leads of nobody are not listed": _ignoring("unassigned", False),
        "no words match every lead": _filtered(
            lambda filters: replace(filters, q=filters.q if filters.words else None)
        ),
        "the first word alone is searched for": _filtered(
            lambda filters: replace(filters, q=filters.words[0] if filters.words else filters.q)
        ),
        "the beginning of a time span is not in it": _filtered(
            lambda it: replace(it, created_from=it.created_from and it.created_from + timedelta(microseconds=1))
        ),
        "the end of a time span is in it": _filtered(
            lambda it: replace(it, created_to=it.created_to and it.created_to + timedelta(microseconds=1))
        ),
        "time spans are compared by seconds": _filtered(
            lambda it: replace(
                it,
                created_from=it.created_from and it.created_from.replace(microsecond=0),
                created_to=it.created_to and it.created_to.replace(microsecond=0),
            )
        ),
        "names have no characters beyond the basic plane": storing(
            InMemoryLeads, _details(name=in_the_basic_plane), "add_many", "save"
        ),
        "sources are compared without accents": _page_where(
            lambda lead, filters: (
                not filters.texts.get("source")
                or without_accents(lead.source.lower()) in {*map(without_accents, filters.texts["source"])}
            ),
            sources=frozenset(),
        ),
        "companies are compared without accents": _page_where(
            lambda lead, filters: (
                not filters.texts.get("company")
                or without_accents((lead.details.company or "").lower())
                in {*map(without_accents, filters.texts["company"])}
            ),
            companies=frozenset(),
        ),
        "companies are compared by their beginning": _page_where(
            lambda lead, filters: (
                not filters.texts.get("company")
                or any((lead.details.company or "").lower().startswith(it) for it in filters.texts["company"])
            ),
            companies=frozenset(),
        ),
        "companies are compared with case": _page_where(
            lambda lead, filters: not filters.companies or (lead.details.company in filters.companies),
            companies=frozenset(),
        ),
        "words are found anywhere": _page_where(
            lambda lead, it: it.words is None or (bool(it.words) and all(w in lead.search_text for w in it.words)),
            q=None,
        ),
        "names alone are searched": _page_where(
            lambda lead, it: (
                it.words is None
                or (bool(it.words) and all(any(w.startswith(q) for w in lead.name.lower().split()) for q in it.words))
            ),
            q=None,
        ),
        "the agent and nobody exclude each other": _filtered(
            lambda it: replace(it, assigned_to=frozenset() if it.unassigned else it.assigned_to)
        ),
        "whom a lead is visible to replaces the filter by agent": _filtered(
            lambda it: replace(it, assigned_to=frozenset(), unassigned=False) if it.visible_to else it
        ),
        **pages_of(InMemoryLeads),
    },
)
