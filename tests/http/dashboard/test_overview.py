"""Tests of the overview page: figures of the day, overdue calls, imports and dead letters, by role."""

import re
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from html import unescape
from urllib.parse import quote
from uuid import UUID

import pytest

from tests.http.dashboard.examples import ExampleFigures, an_empty_day
from tests.http.dashboard.visitor import HOME, REPLAY, Visitor, signed_in
from tests.http.service import Service
from unite_core.events import Event
from unite_core.identity.model import Role
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import Destination
from unite_core.notifications.subscriptions import Subscription
from unite_core.periods import FIRST_DATE, LAST_DATE

PHONES = ("+12125550123", "+12125550124", "+12125550125")
PART = "/dashboard/parts/imports"
CSV = b"Name,Phone\nAda,+12125550100\nGrace,12\n"


class Refusing(Destination):
    """Refuses every event for good."""

    subscription = Subscription(name="picky")

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002  # it refuses whatever comes
        return [Receipt(accepted=False, refused=True, response={"status": 400})] * len(events)


def upload(service: Service, name: str = "leads.csv", content: bytes = CSV) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + name.encode() + b'"\r\n\r\n'
        + content + b"\r\n--x--\r\n"
    )  # fmt: skip
    answer = service.manager().post("/v1/lead-imports/file", data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 202


def add_task(service: Service, name: str, due_at: str, phone: str = PHONES[0], owner: UUID | None = None) -> None:
    manager = service.manager()
    lead = {"name": name, "phone": phone, "assigned_to": None if owner is None else str(owner)}
    added = manager.post("/v1/leads", json=lead).get_json()
    assert manager.post("/v1/call-tasks", json={"lead_id": added["id"], "due_at": due_at}).status_code == 201


def test_figures_are_requested_for_day_time_zone_and_user() -> None:
    figures = ExampleFigures()
    service = Service(figures=figures)
    visitor = signed_in(service, user := service.add(Role.AGENT))

    visitor.get(f"{HOME}?date=2026-01-31&tz=Asia/Kolkata")

    [(actor, day, tz)] = figures.asked
    assert (actor.user_id, actor.role, day, tz) == (user.id, Role.AGENT, date(2026, 1, 31), "Asia/Kolkata")


def test_today_depends_on_the_time_zone() -> None:
    figures = ExampleFigures()
    service = Service(figures=figures)
    visitor = signed_in(service, service.add(Role.AGENT))

    # By the clock of the test it is 9 o'clock on Monday the 2nd of March in UTC.
    for tz in ("Pacific/Honolulu", "Pacific/Kiritimati", "UTC"):
        visitor.get(HOME, query_string={"tz": tz})

    assert [(day.isoformat(), tz) for _, day, tz in figures.asked] == [
        ("2026-03-01", "Pacific/Honolulu"),
        ("2026-03-02", "Pacific/Kiritimati"),
        ("2026-03-02", "UTC"),
    ]


def test_the_chosen_time_zone_is_remembered_and_an_unknown_one_is_not() -> None:
    figures = ExampleFigures()
    service = Service(figures=figures)
    visitor = signed_in(service, service.add(Role.AGENT))

    visitor.get(HOME)
    visitor.get(f"{HOME}?date=2026-01-31&tz=Europe/Berlin")
    page = visitor.get(HOME)
    visitor.client.set_cookie("__Host-unite_time_zone", "Mars/Base", domain="unite.example", secure=True, path="/")
    visitor.get(HOME)

    assert [tz for *_, tz in figures.asked] == ["UTC", "Europe/Berlin", "Europe/Berlin", "UTC"]
    assert "<option selected>Europe/Berlin" in page.text
    assert 'href="/dashboard?date=2026-03-01&amp;tz=Europe%2FBerlin"' in page.text


def test_a_form_with_empty_fields_shows_today(service: Service) -> None:
    visitor = signed_in(service, service.add(Role.AGENT))

    assert visitor.get(f"{HOME}?date=&tz=").status_code == 200


@pytest.mark.parametrize("day", [str(FIRST_DATE), str(LAST_DATE)])
def test_the_first_and_the_last_day_have_one_neighbour(service: Service, day: str) -> None:
    page = signed_in(service, service.add(Role.AGENT)).get(HOME, query_string={"date": day, "tz": "Asia/Kolkata"})

    assert page.status_code == 200
    assert len(re.findall("rel=.(?:prev|next)", page.text)) == 1


def test_every_figure_links_to_the_page_of_its_list() -> None:
    service = Service(figures=ExampleFigures())
    visitor = signed_in(service, service.add(Role.MANAGER))
    page = visitor.get(HOME).text

    assert '<a href="/dashboard/calls">1,067</a>' in page
    assert '<a href="/dashboard/leads?source=web">40</a>' in page
    for link in set(re.findall(r'href="(/dashboard/(?:calls|leads|tasks)[^"]*)"', page)):
        assert visitor.get(unescape(link)).status_code == 200, link


def test_figures_have_words_and_numbers() -> None:
    service = Service(figures=ExampleFigures())
    page = signed_in(service, service.add(Role.MANAGER)).get(HOME).text

    assert "25.0 %" in page
    assert "(250 of 1,000)" in page
    assert "2:05" in page
    assert "Ben &lt;b&gt;Bold&lt;/b&gt;" in page
    assert "<b>Bold" not in page


def test_a_day_without_calls_has_no_rates() -> None:
    service = Service(figures=ExampleFigures(an_empty_day()))
    page = signed_in(service, service.add(Role.MANAGER)).get(HOME).text

    assert "No calls on this day." in page
    assert "No leads were created on this day." in page
    assert "<dt>Contact rate</dt><dd>\N{EN DASH}</dd>" in page


def test_each_chart_has_a_role_a_title_a_description_and_a_table() -> None:
    service = Service(figures=ExampleFigures())
    page = signed_in(service, service.add(Role.MANAGER)).get(HOME).text

    charts = re.findall(r"<svg[^>]*>.*?</svg>", page, re.DOTALL)

    assert len(charts) == 3
    for chart in charts:
        assert 'role="img"' in chart
        assert re.search(r"<title id=\S+>\w+.*</title>", chart)
        assert re.search(r"<desc id=\S+>\w+.*</desc>", chart)
        assert "<rect" in chart
    assert page.count("<table") >= 3


def test_the_figures_are_those_of_the_reports(service: Service) -> None:
    add_task(service, "Grace", "2026-03-02T08:00:00Z")
    service.unite.upkeep.mark_missed()

    page = signed_in(service, service.add(Role.MANAGER)).get(HOME).text
    link = re.search(r'<dt>Missed</dt><dd><a href="([^"]+)">1</a>', page)

    assert link is not None
    assert "Grace" not in page
    listed = signed_in(service, service.add(Role.MANAGER)).get(unescape(link[1])).text
    assert listed.count("missed") >= 1
    assert "<dt>Completion rate</dt><dd>0.0 %" in page


def overdue(page: str) -> list[str]:
    """The names in the section of overdue calls."""
    section = page[page.index('id="overdue-title"') :]
    return re.findall(r'scope="row">(\w+)</th>', section[: section.index("</section>")])


def test_overdue_calls_are_sorted_by_due_time_and_agents_see_only_their_own(service: Service) -> None:
    agent, other = service.add(Role.AGENT), service.add(Role.AGENT)
    add_task(service, "Grace", "2026-03-02T08:59:00Z", PHONES[0], agent.id)
    add_task(service, "Alan", "2026-03-01T08:00:00Z", PHONES[1], other.id)
    add_task(service, "Not due yet", "2026-03-02T09:01:00Z", PHONES[2], agent.id)

    of_manager = signed_in(service, service.add(Role.MANAGER)).get(HOME).text
    visitor = signed_in(service, agent)
    of_agent = visitor.get(HOME).text

    assert overdue(of_manager) == ["Alan", "Grace"]
    assert overdue(of_agent) == ["Grace"]
    [link] = re.findall(r'href="(/dashboard/tasks\?status=pending&amp;due_to=[^"]+)"', of_agent)
    listed = visitor.get(unescape(link)).text
    assert "Grace" in listed
    assert "Not due yet" not in listed


def test_the_time_overdue_is_shown(service: Service) -> None:
    # It is 9 o'clock on the 2nd of March.
    add_task(service, "Grace", "2026-03-02T08:48:30Z", PHONES[0])
    add_task(service, "Alan", "2026-03-02T05:40:00Z", PHONES[1])
    add_task(service, "Edsger", "2026-02-27T08:00:00Z", PHONES[2])

    page = signed_in(service, service.add(Role.MANAGER)).get(HOME).text

    ages = re.findall('data-label="Overdue for" class="number">([^<]+)<', page)
    assert ages == ["3 days", "3 h 20 min", "11 min"]


def test_the_day_is_shown_in_words_with_a_link_to_today() -> None:
    service = Service(figures=ExampleFigures())
    visitor = signed_in(service, service.add(Role.AGENT))

    today = visitor.get(f"{HOME}?tz=Europe/Berlin").text
    sunday = visitor.get(f"{HOME}?date=2025-11-30&tz=Europe/Berlin").text

    assert '<h1>Monday, 2 March 2026, <span class="soft">Europe/Berlin</span></h1>' in today
    assert ">Today</a>" not in today
    assert "<h1>Sunday, 30 November 2025, " in sunday
    assert '<a href="/dashboard?tz=Europe%2FBerlin">Today</a>' in sunday


def test_the_page_uses_the_time_zone_of_the_browser_until_one_is_chosen() -> None:
    service = Service(figures=ExampleFigures())
    visitor = signed_in(service, service.add(Role.AGENT))

    assert "data-offer-zone" in visitor.get(HOME).text
    assert "data-offer-zone" not in visitor.get(f"{HOME}?tz=UTC").text
    assert "data-offer-zone" not in visitor.get(HOME).text


def test_imports_show_their_progress(service: Service) -> None:
    upload(service, 'a "quoted" <file>.csv'.replace('"', ""))
    visitor = signed_in(service, service.add(Role.MANAGER))

    waiting = visitor.get(HOME).text
    service.ports.jobs.run_all(service.unite)
    part = visitor.get(PART)

    assert "1 import is in progress." in waiting
    assert "<progress" in waiting
    assert 'data-next-seconds="2"' in waiting
    assert "&lt;file&gt;" in part.text
    assert 'data-next-seconds="15"' in part.text
    assert "2 rows, 1 created, 1 rejected" in part.text
    assert "<progress" not in part.text
    assert "<html" not in part.text


def test_several_and_failed_imports_are_summarized_in_a_sentence(service: Service) -> None:
    visitor = signed_in(service, service.add(Role.MANAGER))
    assert "There are no imports yet." in visitor.get(HOME).text
    upload(service, "a.csv", b"Colour\nred\n")
    upload(service, "b.csv", b"Shape\nround\n")

    waiting = visitor.get(PART).text
    service.ports.jobs.run_all(service.unite)
    ended = visitor.get(PART).text

    assert "2 imports are in progress." in waiting
    assert "The latest one: b.csv, failed." in ended
    assert 'class="bad"' in ended


@pytest.mark.parametrize(
    ("role", "sections"),
    [
        (Role.ADMIN, {"Overdue calls", "Imports", "Dead letters"}),
        (Role.MANAGER, {"Overdue calls", "Imports"}),
        (Role.AGENT, {"Overdue calls"}),
    ],
)
def test_each_role_sees_its_sections(service: Service, role: Role, sections: set[str]) -> None:
    page = signed_in(service, service.add(role)).get(HOME).text

    of_the_day = {"The day", "Agents", "Calls by hour", "Funnel by source"}
    assert set(re.findall(r"<h2[^>]*>([^<]*)</h2>", page)) == of_the_day | sections
    assert ("htmx" in page) is True


def test_admins_see_dead_letters() -> None:
    service = Service(destinations=(Refusing(),))
    visitor = signed_in(service, service.add(Role.ADMIN))
    assert "Everything could be delivered." in visitor.get(HOME).text
    service.admin().post("/v1/leads", json={"name": "Grace", "phone": PHONES[0]})
    service.ports.jobs.run_all(service.unite)

    page = visitor.get(HOME).text

    assert "1 could not be delivered." in page
    assert 'scope="row">picky</th>' in page


def dead_letter(service: Service, visitor: Visitor) -> dict[str, str]:
    """The form that has the one dead letter tried again."""
    service.admin().post("/v1/leads", json={"name": "Grace", "phone": PHONES[0]})
    service.ports.jobs.run_all(service.unite)
    page = visitor.get(HOME).text
    [delivery] = re.findall(r'name="delivery" value="([^"]+)"', page)
    return {"csrf_token": visitor.token(HOME), "delivery": delivery}


def test_an_admin_can_replay_a_dead_letter() -> None:
    service = Service(destinations=(Refusing(),))
    visitor = signed_in(service, service.add(Role.ADMIN))
    form = dead_letter(service, visitor)

    answer = visitor.post(REPLAY, form)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{HOME}#dead-letters-title")
    assert "Everything could be delivered." in visitor.get(HOME).text
    assert visitor.post(REPLAY, form).status_code == 409
    service.ports.jobs.run_all(service.unite)
    assert "1 could not be delivered." in visitor.get(HOME).text


def test_only_admins_can_replay_a_dead_letter_and_only_by_their_own_form() -> None:
    service = Service(destinations=(Refusing(),))
    visitor = signed_in(service, service.add(Role.ADMIN))
    form = dead_letter(service, visitor)
    manager = signed_in(service, service.add(Role.MANAGER))

    assert visitor.post(REPLAY, {**form, "csrf_token": manager.token(HOME)}).status_code == 403
    assert manager.post(REPLAY, {**form, "csrf_token": manager.token(HOME)}).status_code == 403
    assert visitor.post(REPLAY, {**form, "delivery": "1"}).status_code == 422
    assert visitor.post(REPLAY, {**form, "delivery": str(UUID(int=1))}).status_code == 404
    assert "1 could not be delivered." in visitor.get(HOME).text


def test_names_and_search_words_are_escaped(service: Service) -> None:
    hostile = '<script>alert("x")</script>&\'"'
    add_task(service, hostile, "2026-03-01T08:00:00Z")
    visitor = signed_in(service, service.add(Role.ADMIN))

    for path in (HOME, "/dashboard/leads", "/dashboard/tasks", f"/dashboard/leads?q={quote(hostile)}"):
        page = visitor.get(path).text
        assert "<script>alert" not in page, path
        assert "&lt;script&gt;" in page, path


def test_each_user_is_read_once_per_page(service: Service) -> None:
    agents = [service.add(Role.AGENT) for _ in range(3)]
    for number, agent in enumerate(agents):
        add_task(service, f"Lead {number}", "2026-03-01T08:00:00Z", PHONES[number], agent.id)
    service.ports.clock.advance(timedelta(hours=1))

    page = Visitor(service)
    page.sign_in(service.add(Role.MANAGER))

    assert page.get(HOME).text.count("Somebody agent") == 3
