"""Tests of the company of a lead: optional, searchable, and a filter."""

import pytest

from unite_core import Invalid, Lead, LeadFilter, PageRequest
from unite_core.testing.scenario import Scenario


def list_leads(scenario: Scenario, **conditions: object) -> list[Lead]:
    filters = LeadFilter(**conditions)  # type: ignore[arg-type]  # fields of LeadFilter
    return list(scenario.unite.leads.list(scenario.admin, filters, PageRequest()).items)


def test_the_company_of_a_lead_is_optional(scenario: Scenario) -> None:
    lead = scenario.create_lead(company="  Eckert-Mauchly\u0301 ")

    assert lead.details.company == "Eckert-Mauchlý"
    assert scenario.unite.leads.get(scenario.admin, lead.id) == lead
    assert scenario.create_lead().details.company is None


@pytest.mark.parametrize("nothing", [None, "", "  ", "\u200b"])
def test_a_company_can_be_changed_and_cleared(scenario: Scenario, nothing: str | None) -> None:
    lead = scenario.create_lead(company="Acme")

    assert scenario.update_lead(lead, company="ACME").details.company == "ACME"
    assert scenario.update_lead(lead, name="Ada").details.company == "ACME"
    assert scenario.update_lead(lead, company=nothing).details.company is None
    assert scenario.unite.leads.get(scenario.admin, lead.id).version == 4


def test_a_company_has_at_most_200_characters_on_one_line(scenario: Scenario) -> None:
    assert scenario.create_lead(company="x" * 200).details.company == "x" * 200
    for wrong, code in (("x" * 201, "too_long"), ("a\nb", "control_character")):
        with pytest.raises(Invalid) as refused:
            scenario.create_lead(company=wrong)
        assert [(problem.field, problem.code) for problem in refused.value.problems] == [("company", code)]


def test_a_lead_is_found_by_the_words_of_its_company(scenario: Scenario) -> None:
    lead = scenario.create_lead(name="Grace", company="Müller & Söhne")
    scenario.create_lead(name="Ada")

    assert list_leads(scenario, q="grace soh") == [lead]
    scenario.update_lead(lead, company=None)
    assert list_leads(scenario, q="soh") == []


def test_a_company_filter_compares_the_whole_name_without_case(scenario: Scenario) -> None:
    first, second = scenario.create_lead(company="ACME, Inc."), scenario.create_lead(company="Acme, Inc.")
    scenario.create_lead(company="Acme")
    scenario.create_lead()

    assert list_leads(scenario, companies=frozenset({"acme, inc."})) == [second, first]


def test_an_agent_finds_only_their_own_leads_of_a_company(scenario: Scenario) -> None:
    own = scenario.create_lead(scenario.ann, company="Acme")
    scenario.create_lead(scenario.ben, company="Acme")

    page = scenario.unite.leads.list(scenario.ann, LeadFilter(companies=frozenset({"acme"})), PageRequest())

    assert list(page.items) == [own]
