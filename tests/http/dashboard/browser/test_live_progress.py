"""Tests of the polling of imports by the dashboard: one request at a time, and none while the page is hidden."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.http.dashboard.browser.site import HOME, PART, SIGN_IN, Site, path_of, violations
from tests.http.dashboard.test_overview import upload
from unite_core.identity.model import Role

_VISIBILITY = """
    window.isHidden = false;
    Object.defineProperty(document, "hidden", { get: () => window.isHidden });
    window.show = (shown) => { window.isHidden = !shown; document.dispatchEvent(new Event("visibilitychange")); };
"""


@pytest.fixture
def page(site: Site) -> Iterator[Page]:
    """The dashboard of a manager during an import, with a clock that the test advances."""
    upload(site.service)
    page = site.signed_in(Role.MANAGER)
    page.context.add_init_script(_VISIBILITY)
    page.clock.install()
    page.goto(HOME)
    yield page
    assert violations(page) == []


class Held:
    """Requests for the part, which wait for an answer until they get one."""

    def __init__(self, page: Page) -> None:
        self.routes: list[Route] = []
        page.route(f"**{PART}", lambda route: self.routes.append(route))  # noqa: PLW0108  # it looks for its own marks on what it is given

    def answer_all(self) -> None:
        for route in self.routes:
            route.continue_()


def let_pass(page: Page, seconds: int) -> None:
    """Let time pass in the page, second by second, with everything that is due in it."""
    for _ in range(seconds):
        page.clock.run_for(1000)
    page.wait_for_timeout(50)


def test_progress_is_updated_without_reloading_the_page(site: Site, page: Page) -> None:
    expect(page.locator("progress")).to_have_count(1)
    expect(page.get_by_role("status")).to_have_text("1 import is in progress.")
    page.evaluate("window.isTheSame = true")

    site.service.ports.jobs.run_all(site.service.unite)
    with page.expect_response(f"**{PART}"):
        let_pass(page, 2)

    expect(page.get_by_text("Completed: 2 rows, 1 created, 1 rejected")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("No import is in progress. The latest one: leads.csv, completed.")
    expect(page.locator("progress")).to_have_count(0)
    assert page.evaluate("window.isTheSame") is True
    assert site.errors == []


def test_no_request_is_sent_while_another_waits(page: Page) -> None:
    held = Held(page)

    let_pass(page, 9)
    assert len(held.routes) == 1

    # Nor where somebody comes back to the page in the meantime.
    page.evaluate("window.show(false); window.show(true)")
    let_pass(page, 1)
    assert len(held.routes) == 1


def test_the_next_request_follows_each_response(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if PART in request.url else None)
    for number in (1, 2, 3):
        with page.expect_response(f"**{PART}"):
            let_pass(page, 2)
        page.wait_for_timeout(100)
        assert len(asked) == number


def test_a_hidden_page_sends_no_request_and_one_at_once_when_it_is_visible_again(page: Page) -> None:
    held = Held(page)
    page.evaluate("window.show(false)")

    let_pass(page, 60)
    assert held.routes == []

    page.evaluate("window.show(true)")
    page.wait_for_timeout(100)
    assert len(held.routes) == 1


def test_a_failed_request_does_not_stop_the_polling(site: Site, page: Page) -> None:
    failing = True

    def fail_once(route: Route) -> None:
        nonlocal failing
        if failing:
            failing = False
            route.abort()
        else:
            route.continue_()

    page.route(f"**{PART}", fail_once)
    site.service.ports.jobs.run_all(site.service.unite)
    let_pass(page, 2)
    with page.expect_response(f"**{PART}"):
        let_pass(page, 2)

    expect(page.get_by_text("Completed: 2 rows")).to_be_visible()


def test_a_session_that_ended_elsewhere_redirects_to_the_sign_in_and_back(site: Site, page: Page) -> None:
    admin = site.service.admin()
    users = admin.get("/v1/users?role=manager&limit=200").get_json()["items"]
    for user in users:
        admin.patch(f"/v1/users/{user['id']}", json={"active": False})

    let_pass(page, 2)
    page.wait_for_url(f"**{SIGN_IN}?next=%2Fdashboard")

    assert path_of(page) == SIGN_IN
