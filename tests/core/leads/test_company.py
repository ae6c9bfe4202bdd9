"""The company of a lead, as an example of a text that may be empty."""

import pytest

from tests.core.leads.conftest import LeadScenario
from unite_core import Invalid, Lead, LeadFilter, PageRequest, question_words


def found(scenario: LeadScenario, **conditions: object) -> list[Lead]:
    filters = LeadFilter(**conditions)  # type: ignore[arg-type]  # fields of LeadFilter
    return list(scenario.unite.leads.list(scenario.admin, filters, PageRequest()).items)


def test_a_lead_has_a_company_if_somebody_names_one(scenario: LeadScenario) -> None:
    lead = scenario.add(company="  Eckert-Mauchly\u0301 ")

    assert lead.details.company == "Eckert-Mauchlý"
    assert scenario.unite.leads.get(scenario.admin, lead.id) == lead
    assert scenario.add().details.company is None


@pytest.mark.parametrize("nothing", [None, "", "  ", "\u200b"])
def test_a_company_is_changed_and_emptied(scenario: LeadScenario, nothing: str | None) -> None:
    lead = scenario.add(company="Acme")

    assert scenario.change(scenario.admin, lead, company="ACME").details.company == "ACME"
    assert scenario.change(scenario.admin, lead, name="Ada").details.company == "ACME"
    assert scenario.change(scenario.admin, lead, company=nothing).details.company is None
    assert scenario.unite.leads.get(scenario.admin, lead.id).version == 4


def test_a_company_has_at_most_200_characters_on_one_line(scenario: LeadScenario) -> None:
    assert scenario.add(company="x" * 200).details.company == "x" * 200
    for wrong, code in (("x" * 201, "too_long"), ("a\nb", "control_character")):
        with pytest.raises(Invalid) as refused:
            scenario.add(company=wrong)
        assert [(problem.field, problem.code) for problem in refused.value.problems] == [("company", code)]


def test_a_lead_is_found_by_the_words_of_its_company(scenario: LeadScenario) -> None:
    lead = scenario.add(name="Grace", company="Müller & Söhne")
    scenario.add(name="Ada")

    assert found(scenario, question=tuple(question_words("grace soh"))) == [lead]
    scenario.change(scenario.admin, lead, company=None)
    assert found(scenario, question=tuple(question_words("soh"))) == []


def test_a_company_is_compared_as_a_whole_and_without_case(scenario: LeadScenario) -> None:
    first, second = scenario.add(company="ACME, Inc."), scenario.add(company="Acme, Inc.")
    scenario.add(company="Acme")
    scenario.add()

    assert found(scenario, companies=frozenset({"acme, inc."})) == [second, first]


def test_an_agent_finds_their_own_leads_of_a_company(scenario: LeadScenario) -> None:
    own = scenario.add(scenario.ann, company="Acme")
    scenario.add(scenario.ben, company="Acme")

    page = scenario.unite.leads.list(scenario.ann, LeadFilter(companies=frozenset({"acme"})), PageRequest())

    assert list(page.items) == [own]
