"""Tests of pages with lists: they show what the API lists for the same query."""

import re
from html import unescape

import pytest

from entrypoints.http.dashboard.paths import PAGES_OF_LISTS, page_of_list
from tests.http.dashboard.visitor import Visitor, signed_in
from tests.http.service import HttpScenario, Service, id_of
from unite_core.identity.model import Role

ROW = re.compile(r'<th role="rowheader" scope="row">')
NEXT = re.compile(r'<a href="([^"]+)" rel="next">')


@pytest.fixture
def scenario(service: Service) -> HttpScenario:
    scenario = HttpScenario(service)
    scenario.create_lead("Alan Turing", "+12125550124", source="fair")
    scenario.completed_call_task()
    scenario.completed_call_task(outcome="voicemail", duration_seconds=20)
    scenario.create_call_task()
    return scenario


@pytest.mark.parametrize(
    "url",
    [
        "/v1/leads",
        "/v1/leads?source=fair",
        "/v1/leads?q=grace&status=new,contacted",
        "/v1/leads?assigned_to=none",
        "/v1/call-logs",
        "/v1/call-logs?agent={ann}&from=2026-03-01T00:00:00Z",
        "/v1/call-logs?to=2026-03-01T00:00:00Z",
        "/v1/call-tasks?status=pending",
        "/v1/call-tasks?assigned_to={ann}&due_to=2026-03-02T15:00:01Z",
    ],
)
def test_a_page_shows_as_many_rows_as_the_list_of_the_api(scenario: HttpScenario, url: str) -> None:
    url = url.format(ann=id_of(scenario.ann))
    visitor = signed_in(scenario.service, scenario.manager.user)

    page = visitor.get(page_of_list(url))

    assert page.status_code == 200
    assert len(ROW.findall(page.text)) == len(scenario.manager.get(url).get_json()["items"])


@pytest.mark.parametrize("url", PAGES_OF_LISTS)
def test_an_agent_sees_on_a_page_what_the_api_lists_for_them(scenario: HttpScenario, url: str) -> None:
    for person in (scenario.ann, scenario.ben):
        visitor = signed_in(scenario.service, person.user)

        page = visitor.get(page_of_list(url))

        assert len(ROW.findall(page.text)) == len(person.get(url).get_json()["items"])
        assert bool(ROW.findall(page.text)) is (person is scenario.ann)


def test_following_the_links_shows_each_row_once(scenario: HttpScenario) -> None:
    for number in range(5):
        scenario.create_lead(f"Lead {number}", f"+1212555013{number}", source="fair")
    visitor = signed_in(scenario.service, scenario.manager.user)
    path: str | None = "/dashboard/leads?source=fair&limit=2"
    seen = []

    while path is not None:
        text = visitor.get(path).text
        seen += re.findall(r'scope="row">([^<]+)</th>', text)
        link = NEXT.search(text)
        path = None if link is None else unescape(link.group(1))

    assert seen == [*(f"Lead {number}" for number in reversed(range(5))), "Alan Turing"]


def test_later_pages_link_to_the_first_page(scenario: HttpScenario) -> None:
    for number in range(3):
        scenario.create_lead(f"Lead {number}", f"+1212555013{number}", source="fair, Berlin")
    visitor = signed_in(scenario.service, scenario.manager.user)
    first = visitor.get('/dashboard/leads?source="fair, Berlin"&limit=1').text
    link = NEXT.search(first)
    assert link is not None
    assert "First page" not in first

    second = visitor.get(unescape(link.group(1))).text

    [back] = re.findall(r'<a href="(\?[^"]*)">First page</a>', second)
    assert "Lead 2" in visitor.get(f"/dashboard/leads{unescape(back)}").text


def test_a_cursor_of_another_list_is_refused(scenario: HttpScenario) -> None:
    visitor = signed_in(scenario.service, scenario.manager.user)
    scenario.create_call_task()
    cursor = scenario.manager.get("/v1/call-tasks?limit=1").get_json()["next_cursor"]

    assert visitor.get(f"/dashboard/tasks?limit=1&cursor={cursor}").status_code == 400


def test_the_filters_of_a_list_are_described(scenario: HttpScenario) -> None:
    page = signed_in(scenario.service, scenario.manager.user).get("/dashboard/calls?from=2026-03-01T00:00:00Z")

    assert '<p class="conditions">From 2026-03-01 00:00 on.</p>' in page.text
    assert 'href="/dashboard?date=2026-03-01&amp;tz=UTC">Back to Sunday, 1 March 2026</a>' in page.text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "calls?from=2026-03-01T23:00:00Z&to=2026-03-02T23:00:00Z&counted=true",
            "On Monday, 2 March 2026; the last entry about each call.",
        ),
        ("calls?from=2026-03-02T08:00:00Z&to=2026-03-02T09:00:00Z", "From 2026-03-02 09:00 to 2026-03-02 10:00."),
        ("calls?to=2026-03-02T08:00:00Z&counted=false", "Before 2026-03-02 09:00; entries that were corrected."),
        ("calls?agent={ann}&result=no_answer,connected", "Agent Ann Adams; result no answer or connected."),
        ("calls?agent=none&attempt=1,5&source=web,", "Agent nobody; source web or unknown; attempt 1 or 5 or later."),
        (
            "calls?from=2026-03-02T08:00:00Z&to=2026-03-03T09:00:00Z&hour=9,10&weekday=1&tz=UTC",
            (
                "From 2026-03-02 09:00 to 2026-03-03 10:00; in the hour from 9:00 or 10:00; on Monday; "
                "by the clocks of UTC."
            ),
        ),
        (
            "leads?called=true&call_result=converted&called_within=300",
            "Called; a call ended with converted; first called within 5 minutes.",
        ),
        (
            "leads?created_from=2026-03-02T08:00:00Z&called=false&q=Grace <b>",
            "Created from 2026-03-02 09:00 on; found by “Grace &lt;b&gt;”; never called.",
        ),
        ("leads?assigned_to={ann},none&status=new", "Status new; agent Ann Adams or nobody."),
        ("tasks?status=pending&due_to=2026-03-02T08:00:00Z&limit=5", "Due before 2026-03-02 09:00; status pending."),
    ],
)
def test_every_filter_is_described_in_words(scenario: HttpScenario, path: str, said: str) -> None:
    scenario.admin.patch(f"/v1/users/{id_of(scenario.ann)}", json={"name": "Ann Adams"})
    visitor = signed_in(scenario.service, scenario.manager.user)
    visitor.get("/dashboard?tz=Europe/Berlin")

    page = visitor.get(f"/dashboard/{path.format(ann=id_of(scenario.ann))}")

    assert page.status_code == 200
    assert re.findall(r'<p class="conditions">(.*)</p>', page.text) == [said]


def test_a_call_is_shown_with_time_result_agent_duration_source_and_attempt(scenario: HttpScenario) -> None:
    visitor = signed_in(scenario.service, scenario.manager.user)

    page = visitor.get("/dashboard/calls?result=voicemail").text

    shown = dict(re.findall(r'<td role="cell" data-label="(\w+)"[^>]*>([^<]*)</td>', page))
    assert {**shown, "Agent": "", "Note": ""} == {
        "Result": "voicemail",
        "Agent": "",
        "Duration": "0:20",
        "Source": "api",
        "Attempt": "2",
        "Entry": "completed",
        "Note": "",
    }
    assert 'scope="row">2026-03-02 08:59</th>' in page


def test_a_list_without_a_day_links_back_to_the_dashboard(scenario: HttpScenario) -> None:
    page = signed_in(scenario.service, scenario.manager.user).get("/dashboard/tasks?status=pending").text

    assert '<a href="/dashboard">Back to the dashboard</a>' in page


def test_agents_are_shown_by_name_even_if_they_are_deactivated(scenario: HttpScenario) -> None:
    scenario.admin.patch(f"/v1/users/{id_of(scenario.ann)}", json={"name": "Ann Adams", "active": False})

    page = signed_in(scenario.service, scenario.manager.user).get("/dashboard/calls")

    assert page.text.count("Ann Adams") == 2


def test_times_are_shown_in_the_chosen_time_zone(scenario: HttpScenario) -> None:
    visitor = signed_in(scenario.service, scenario.manager.user)
    visitor.get("/dashboard?tz=Asia/Kolkata")

    page = visitor.get("/dashboard/tasks?status=pending")

    assert "2026-03-02 20:30" in page.text
    assert "Times are in Asia/Kolkata." in page.text


def test_an_empty_list_says_so(service: Service) -> None:
    visitor = Visitor(service)
    visitor.sign_in(service.add(Role.AGENT))

    assert "There is nothing in this list." in visitor.get("/dashboard/calls").text


@pytest.mark.parametrize("url", ["https://evil.example/v1/leads", "//evil.example/v1/leads", "/v1/users", ""])
def test_only_lists_that_have_a_page_can_be_linked(url: str) -> None:
    with pytest.raises(ValueError, match="No page shows"):
        page_of_list(url)
