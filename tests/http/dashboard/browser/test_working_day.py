"""Tests of the dashboard with a complete day in headless Chromium."""

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.http.dashboard.browser.site import HOME, PART, SIGN_IN, Site, path_of, sign_in, violations
from tests.http.dashboard.browser.test_pages_in_a_browser import MAX_WEIGHT, is_wider_than_the_window, rules_broken
from tests.http.dashboard.sales_day import TZ, SalesDay

LISTS = ("/dashboard/calls", "/dashboard/leads", "/dashboard/tasks")
DAY = f"{HOME}?date=2026-03-02&tz={TZ}"

WorkingDay = tuple[Site, SalesDay]


def cut_off(page: Page) -> list[str]:
    """The texts that lie outside of what is around them, or outside of the window."""
    texts: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("main td, main th, main dd, main dt, main a, main text, main p")]
            .filter((it) => it.checkVisibility() && !it.closest("thead"))
            .filter((it) => it.getBoundingClientRect().right > (it.closest("section") ?? document.body)
                .getBoundingClientRect().right)
            .map((it) => it.textContent)"""
    )
    return texts


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1280])
def test_a_full_day_and_its_lists_are_accessible_fit_the_window_and_keep_their_policy(
    working_day: WorkingDay, scheme: Literal["light", "dark"], width: int
) -> None:
    site, day = working_day
    page = site.page(color_scheme=scheme, viewport={"width": width, "height": 800})
    page.goto(SIGN_IN)
    faults = {"sign-in": (rules_broken(page), is_wider_than_the_window(page), cut_off(page), violations(page))}
    sign_in(page, day.admin)

    for path in (DAY, *LISTS):
        page.goto(path)
        for details in page.get_by_role("group").all():
            details.locator("summary").click()
        faults[path] = (rules_broken(page), is_wider_than_the_window(page), cut_off(page), violations(page))

    assert faults == dict.fromkeys(faults, ([], False, [], []))
    assert len(faults) == 5
    assert site.elsewhere() == []
    assert site.errors == []


def test_on_a_phone_the_totals_have_two_columns_and_no_table_scrolls(working_day: WorkingDay) -> None:
    site, day = working_day
    page = site.page(viewport={"width": 360, "height": 800})
    sign_in(page, day.admin)
    page.goto(DAY)

    tiles = page.locator(".totals > div")
    places = [tile.bounding_box() for tile in tiles.all()]

    assert len({place["x"] for place in places if place}) == 2
    assert len(places) == 6
    # A row is still a row for a screen reader, with its name.
    expect(page.get_by_role("table", name="Agents").get_by_role("rowheader", name="Mei Tanaka")).to_be_visible()
    expect(page.get_by_role("table", name="Agents").get_by_role("columnheader", name="Completed")).to_have_count(1)


def test_a_count_links_to_its_calls_and_back_to_the_day_by_keyboard(working_day: WorkingDay) -> None:
    site, day = working_day
    page = site.page()
    sign_in(page, day.admin)
    page.goto(DAY)

    row = page.get_by_role("table", name="Agents").get_by_role("row").filter(has_text="Jonas Lindqvist")
    missed = row.get_by_role("link").nth(2)
    number = int(missed.inner_text())
    missed.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/calls?**")

    assert number > 0
    expect(page.get_by_role("table", name="Calls").get_by_role("rowheader")).to_have_count(number)
    expect(page.get_by_text("On Monday, 2 March 2026; agent Jonas Lindqvist; result missed;")).to_be_visible()
    page.get_by_role("link", name="Back to Monday, 2 March 2026").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard?**")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Monday, 2 March 2026, {TZ}")


def test_a_full_day_loads_few_bytes(working_day: WorkingDay) -> None:
    site, day = working_day
    page = site.page()
    sign_in(page, day.admin)
    session = page.context.new_cdp_session(page)
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})

    page.goto(DAY, wait_until="networkidle")

    assert len([length for length in received if length]) >= 4
    assert sum(received) <= MAX_WEIGHT


def test_one_polling_request_is_sent_at_a_time_and_none_while_the_page_is_hidden(working_day: WorkingDay) -> None:
    site, day = working_day
    page = site.page()
    sign_in(page, day.admin)
    page.add_init_script(
        """window.isHidden = false;
        Object.defineProperty(document, "hidden", { get: () => window.isHidden });
        window.show = (shown) => {
          window.isHidden = !shown; document.dispatchEvent(new Event("visibilitychange"));
        };"""
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if PART in request.url else None)
    page.clock.install()
    page.goto(DAY)

    for number in (1, 2):
        with page.expect_response(f"**{PART}"):
            page.clock.run_for(2000)
        page.wait_for_timeout(100)
        assert len(asked) == number
    page.evaluate("window.show(false)")
    page.clock.run_for(60_000)
    page.wait_for_timeout(100)

    assert len(asked) == 2
    assert violations(page) == []


def test_the_first_visit_uses_the_time_zone_of_the_browser_and_later_ones_the_chosen_one(
    working_day: WorkingDay,
) -> None:
    site, day = working_day
    page = site.page(timezone_id="Asia/Tokyo")
    sign_in(page, day.admin)
    page.wait_for_url("**/dashboard?tz=Asia%2FTokyo")
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")

    page.get_by_label("Time zone").select_option("UTC")
    page.get_by_role("button", name="Show").click()
    page.goto(HOME)

    expect(page.get_by_label("Time zone")).to_have_value("UTC")
    assert path_of(page) == HOME
