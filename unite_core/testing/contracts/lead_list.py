"""Contract tests of the pages of leads."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from unite_core.leads.details import LeadStatus
from unite_core.leads.model import Lead
from unite_core.leads.ports import LeadFilter
from unite_core.paging import Page, PageRequest, Position
from unite_core.phone import Phone
from unite_core.testing.builders import a_lead, a_user, revise
from unite_core.testing.contracts.database import (
    DatabaseContract,
    LeadsUnit,
    Units,
    add_all,
    delete_lead,
    listed_leads,
    save_lead,
)
from unite_core.testing.contracts.pages import check_pages
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_NOW = A_MONDAY_MORNING
_HOUR = timedelta(hours=1)
_PHONE = Phone("+12125550123")


class LeadListContract(DatabaseContract[LeadsUnit]):
    """The pages of leads and their filters."""

    repositories = "`leads`, a `Leads`"

    def test_pages_go_from_the_newest_to_the_oldest(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        oldest = a_lead(created_at=_NOW - _HOUR)
        twins = [a_lead(), a_lead()]
        newest = a_lead(created_at=_NOW + timedelta(microseconds=1))
        add_all(work, twins[0], newest, oldest, twins[1])

        with reads() as unit:
            first = unit.leads.page(LeadFilter(), PageRequest(limit=2))
            second = unit.leads.page(LeadFilter(), PageRequest(limit=2, after=first.next))

        assert [*first.items] == [newest, twins[1]]
        assert first.next == Position(twins[1].created_at, twins[1].id)
        assert [*second.items] == [twins[0], oldest]
        assert second.next is None

    def test_pages_of_every_size_neither_skip_nor_repeat(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        moments = [_NOW, _NOW - _HOUR, _NOW, _NOW + timedelta(microseconds=1), _NOW, _NOW + _HOUR, _NOW]
        leads = [
            a_lead(name="Grace", created_at=at, source=("fair", "web")[number % 3 == 1])
            for number, at in enumerate(moments)
        ]
        gone = a_lead(name="Grace", source="fair")
        add_all(work, *leads, gone)
        delete_lead(work, gone)

        def page(filters: LeadFilter, request: PageRequest) -> Page[Lead]:
            with reads() as unit:
                return unit.leads.page(filters, request)

        def position(lead: Lead) -> Position:
            return Position(lead.created_at, lead.id)

        ordered = sorted(leads, key=lambda lead: (lead.created_at, lead.id), reverse=True)
        of_fair = [lead for lead in ordered if lead.source == "fair"]
        by_words = LeadFilter(q="gra", sources=frozenset({"fair"}))
        check_pages(lambda request: page(LeadFilter(), request), ordered, position)
        check_pages(lambda request: page(LeadFilter(sources=frozenset({"fair"})), request), of_fair, position)
        check_pages(lambda request: page(by_words, request), of_fair, position)

    def test_pages_neither_skip_nor_repeat_during_inserts_and_deletes(
        self, work: Units[LeadsUnit], reads: Units[LeadsUnit]
    ) -> None:
        old = [a_lead(created_at=_NOW + _HOUR * (number // 2)) for number in range(7)]
        add_all(work, *old)
        walked: list[UUID] = []
        request = PageRequest(limit=2)

        while True:
            with reads() as unit:
                page = unit.leads.page(LeadFilter(), request)
            walked += [lead.id for lead in page.items]
            add_all(work, a_lead(created_at=_NOW + 9 * _HOUR))
            if len(walked) == 4:
                delete_lead(work, old[-1])  # an earlier page already had it
            if page.next is None:
                break
            request = PageRequest(limit=2, after=page.next)

        assert walked == [lead.id for lead in reversed(old)]

    def test_conditions_of_a_filter_are_combined(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        matching = a_lead(status=LeadStatus.NEW, source="fair")
        add_all(
            work, matching, a_lead(status=LeadStatus.LOST, source="fair"), a_lead(status=LeadStatus.NEW, source="web")
        )

        both = LeadFilter(statuses=frozenset({LeadStatus.NEW}), sources=frozenset({"fair"}))

        assert listed_leads(reads, both) == [matching.id]

    def test_one_of_several_values_of_a_filter_has_to_match(
        self, work: Units[LeadsUnit], reads: Units[LeadsUnit]
    ) -> None:
        leads = [a_lead(status=status, source=status.value) for status in LeadStatus]
        add_all(work, *leads)

        statuses = LeadFilter(statuses=frozenset({LeadStatus.NEW, LeadStatus.LOST}))
        sources = LeadFilter(sources=frozenset({"new", "lost", "none of them"}))

        assert listed_leads(reads, statuses) == [leads[4].id, leads[0].id]
        assert listed_leads(reads, sources) == [leads[4].id, leads[0].id]

    def test_a_company_is_compared_without_case_and_shown_as_it_was_written(
        self, work: Units[LeadsUnit], reads: Units[LeadsUnit]
    ) -> None:
        leads = [a_lead(company=company) for company in ("ACME, Inc.", "Acme, Inc.", "Acme", None)]
        add_all(work, *leads)

        with reads() as unit:
            page = unit.leads.page(LeadFilter(companies=frozenset({"acme, inc."})), PageRequest())

        assert [lead.details.company for lead in page.items] == ["Acme, Inc.", "ACME, Inc."]

    def test_sources_and_companies_are_compared_whole_and_with_their_accents(
        self, work: Units[LeadsUnit], reads: Units[LeadsUnit]
    ) -> None:
        cafe, accented, longer = (a_lead(source=text, company=text) for text in ("cafe", "café", "cafe nero"))
        add_all(work, cafe, accented, longer)

        for lead, text in ((cafe, "cafe"), (accented, "café")):
            assert listed_leads(reads, LeadFilter(sources=frozenset({text}))) == [lead.id]
            assert listed_leads(reads, LeadFilter(companies=frozenset({text}))) == [lead.id]

    def test_leads_are_filtered_by_their_agent(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        ann, ben = a_user(), a_user()
        hers, his, without_agent = a_lead(assigned_to=ann.id), a_lead(assigned_to=ben.id), a_lead()
        add_all(work, ann, ben, hers, his, without_agent)

        assert listed_leads(reads, LeadFilter(assigned_to=frozenset({ann.id}))) == [hers.id]
        assert listed_leads(reads, LeadFilter(assigned_to=frozenset({ann.id, ben.id}))) == [his.id, hers.id]
        assert listed_leads(reads, LeadFilter(unassigned=True)) == [without_agent.id]
        assert listed_leads(reads, LeadFilter(assigned_to=frozenset({ann.id}), unassigned=True)) == [
            without_agent.id,
            hers.id,
        ]
        assert listed_leads(reads, LeadFilter(visible_to=ann.id)) == [hers.id]
        assert listed_leads(reads, LeadFilter(visible_to=ann.id, unassigned=True)) == []
        assert listed_leads(reads, LeadFilter(visible_to=ann.id, assigned_to=frozenset({ben.id}))) == []

    def test_the_beginning_of_a_time_span_is_in_it_and_its_end_is_not(
        self, work: Units[LeadsUnit], reads: Units[LeadsUnit]
    ) -> None:
        leads = [a_lead(created_at=_NOW + number * _HOUR) for number in range(4)]
        add_all(work, *leads)

        span = LeadFilter(created_from=_NOW + _HOUR, created_to=_NOW + 3 * _HOUR)

        assert listed_leads(reads, span) == [leads[2].id, leads[1].id]
        assert listed_leads(reads, LeadFilter(created_from=_NOW + 2 * _HOUR)) == [leads[3].id, leads[2].id]
        assert listed_leads(reads, LeadFilter(created_to=_NOW + _HOUR)) == [leads[0].id]
        just_after = _NOW + timedelta(microseconds=1)
        assert listed_leads(reads, LeadFilter(created_from=just_after, created_to=_NOW + 2 * _HOUR)) == [leads[1].id]
        assert listed_leads(reads, LeadFilter(created_to=just_after)) == [leads[0].id]

    @pytest.mark.parametrize(
        ("question", "found"),
        [
            ("grace", [0]),
            ("GRA hop", [0]),
            ("hop gra", [0]),
            ("race", []),
            ("grace lovelace", []),
            ("l", [1]),
            ("zoe", [2]),
            ("Zoë", [2]),
            ("小明", [3]),
            ("ada@example.com", [1]),
            ("example", [1, 0]),
            ("+1 (212) 555-01", [0]),
            ("212555", [0]),
            ("5550123", [0]),
            ("550123", []),
            ("", [3, 2, 1, 0]),
            ("%", []),
            ("_", []),
            ("gr%", [0]),
            ("g*", [0]),
            ('"grace" OR ada', []),
        ],
    )
    def test_a_search_matches_the_beginnings_of_words(
        self,
        work: Units[LeadsUnit],
        reads: Units[LeadsUnit],
        question: str,
        found: Sequence[int],
    ) -> None:
        leads = [
            a_lead(name="Grace Hopper", phone=_PHONE, email="rear.admiral@example.com"),
            a_lead(name="Ada Lovelace", phone=None, email="ada@example.com"),
            a_lead(name="Zoë", phone=Phone("+447911123456")),
            a_lead(name="王小明", phone=Phone("+8613912345678")),
        ]
        add_all(work, *leads)

        listed = listed_leads(reads, LeadFilter(q=question))

        assert listed == [leads[number].id for number in found]

    def test_a_search_follows_the_changes_of_a_lead(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        lead = a_lead(name="Grace Murray")
        add_all(work, lead, a_lead(name="Somebody Else"))
        revise(lead, name="Grace Hopper")
        lead.mark_updated(_NOW)
        save_lead(work, lead)

        assert listed_leads(reads, LeadFilter(q="hopper")) == [lead.id]
        assert listed_leads(reads, LeadFilter(q="murray")) == []

    def test_every_condition_limits_the_list_further(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        ann = a_user()
        matching: dict[str, Any] = {
            "name": "Grace Hopper",
            "status": LeadStatus.QUALIFIED,
            "source": "fair",
            "company": "Acme",
            "assigned_to": ann.id,
            "created_at": _NOW,
        }
        others: dict[str, Any] = {
            "name": "Ada Lovelace",
            "status": LeadStatus.NEW,
            "source": "web",
            "company": "Other",
            "assigned_to": None,
            "created_at": _NOW - _HOUR,
        }
        lead = a_lead(**matching)
        add_all(work, ann, lead, *(a_lead(**{**matching, name: value}) for name, value in others.items()))
        conditions: dict[str, Any] = {
            "q": "grace",
            "statuses": frozenset({LeadStatus.QUALIFIED}),
            "sources": frozenset({"fair"}),
            "companies": frozenset({"acme"}),
            "assigned_to": frozenset({ann.id}),
            "created_from": _NOW,
        }

        assert listed_leads(reads, LeadFilter(**conditions)) == [lead.id]
        assert listed_leads(reads, LeadFilter(**{**conditions, "visible_to": ann.id})) == [lead.id]
        for name in conditions:
            others_left = {other: value for other, value in conditions.items() if other != name}
            assert len(listed_leads(reads, LeadFilter(**others_left))) == 2
            assert listed_leads(reads, LeadFilter(**others_left, created_to=_NOW - 2 * _HOUR)) == []

    def test_a_search_is_paginated(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        leads = [a_lead(name=f"Grace {number}", created_at=_NOW + number * _HOUR) for number in range(5)]
        add_all(work, *leads)
        filters = LeadFilter(q="gra", statuses=frozenset({LeadStatus.NEW}))

        with reads() as unit:
            first = unit.leads.page(filters, PageRequest(limit=3))
            second = unit.leads.page(filters, PageRequest(limit=3, after=first.next))

        assert [*first.items, *second.items] == leads[::-1]
        assert second.next is None
