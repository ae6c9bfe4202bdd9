"""Tests of the pages in headless Chromium: accessibility, policy, size, and use without scripts and mouse."""

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.http.dashboard.browser.site import (
    CHANGE_PASSWORD,
    HOME,
    SIGN_IN,
    Site,
    accessibility,
    path_of,
    sign_in,
    violations,
)
from tests.http.dashboard.test_overview import add_task, upload
from tests.http.service import PASSWORD
from unite_core.identity.model import Role, User
from unite_core.identity.use_cases import PasswordReset
from unite_core.testing.builders import an_actor

KIBIBYTE = 1024
MAX_WEIGHT = 150 * KIBIBYTE
PAGES = (HOME, "/dashboard/leads", "/dashboard/calls", "/dashboard/tasks", "/dashboard/nothing")


def rules_broken(page: Page) -> list[str]:
    """What axe-core finds fault with, and where."""
    found = accessibility(page)
    assert found["passes"]
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found["violations"]]


def with_one_time_password(site: Site) -> User:
    user = site.user(Role.MANAGER)
    site.service.unite.identity.reset_password(an_actor(), PasswordReset(user_id=user.id, password=PASSWORD))
    return user


def is_wider_than_the_window(page: Page) -> bool:
    wide: bool = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return wide


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_is_accessible_fits_the_window_and_keeps_its_policy(
    site: Site, scheme: Literal["light", "dark"], width: int
) -> None:
    add_task(site.service, "Grace Hopper", "2026-03-01T08:00:00Z")
    upload(site.service, "a-file-with-a-long-name-that-has-no-blank-in-it-" * 3 + ".csv")
    page = site.page(color_scheme=scheme, viewport={"width": width, "height": 800})
    faults = {}

    page.goto(SIGN_IN)
    faults["sign-in"] = (rules_broken(page), is_wider_than_the_window(page), violations(page))
    sign_in(page, site.user(Role.ADMIN))
    for path in PAGES:
        page.goto(path)
        faults[path] = (rules_broken(page), is_wider_than_the_window(page), violations(page))
    page = site.page(color_scheme=scheme, viewport={"width": width, "height": 800})
    sign_in(page, with_one_time_password(site), to=CHANGE_PASSWORD)
    faults["one-time password"] = (rules_broken(page), is_wider_than_the_window(page), violations(page))
    page.get_by_label("One-time password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("chosen by Ann alone")
    page.get_by_label("New password again").fill("something else")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_contain_text("The two new passwords are different.")
    faults["refused password"] = (rules_broken(page), is_wider_than_the_window(page), violations(page))

    assert faults == dict.fromkeys(faults, ([], False, []))
    assert len(faults) == 8
    assert site.elsewhere() == []
    assert len(site.errors) == 2, "the page that is not there, and the password that was refused"


def test_the_dark_and_the_light_scheme_differ(site: Site) -> None:
    colours = set()
    for scheme in ("light", "dark"):
        page = site.page(color_scheme=scheme)
        page.goto(SIGN_IN)
        colours.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert len(colours) == 2


def test_signing_in_and_out_works_by_keyboard(site: Site) -> None:
    user = site.user(Role.MANAGER)
    page = site.page()
    page.goto(f"{SIGN_IN}?next=/dashboard/leads")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(user.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/leads")

    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{SIGN_IN}")
    page.goto(HOME)
    assert path_of(page) == SIGN_IN


@pytest.mark.parametrize("scripts", [True, False])
def test_a_one_time_password_can_be_changed_by_keyboard_and_without_scripts(site: Site, *, scripts: bool) -> None:
    page = site.page(java_script_enabled=scripts)
    sign_in(page, with_one_time_password(site), to=CHANGE_PASSWORD)

    page.get_by_label("One-time password").focus()
    page.keyboard.type(PASSWORD)
    for _ in range(2):
        page.keyboard.press("Tab")
        page.keyboard.type("chosen by Ann alone")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**{HOME}")
    expect(page.get_by_role("heading", name="The day", exact=True)).to_be_visible()


def test_the_first_tab_stop_skips_the_header(site: Site) -> None:
    page = site.signed_in(Role.MANAGER)
    page.goto("/dashboard/leads")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"


def test_a_wrong_password_is_announced_and_the_address_is_kept(site: Site) -> None:
    page = site.page()
    page.goto(SIGN_IN)
    page.get_by_label("E-mail address").fill("ann@unite.example")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_have_text("The e-mail address or the password is wrong.")
    expect(page.get_by_label("E-mail address")).to_have_value("ann@unite.example")
    expect(page.get_by_label("Password")).to_have_value("")


def test_scripts_cannot_read_the_cookie(site: Site) -> None:
    page = site.signed_in(Role.MANAGER)

    assert page.evaluate("document.cookie") == ""


def test_the_dashboard_loads_at_most_150_kibibytes(site: Site) -> None:
    page = site.page()
    sign_in(page, site.user(Role.ADMIN))
    session = page.context.new_cdp_session(page)
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})

    page.goto(HOME, wait_until="networkidle")

    assert len([length for length in received if length]) >= 4, "the page, its style and two scripts"
    assert sum(received) <= MAX_WEIGHT


def test_everything_works_without_scripts(site: Site) -> None:
    add_task(site.service, "Grace Hopper", "2026-03-01T08:00:00Z")
    upload(site.service)
    page = site.signed_in(Role.ADMIN, java_script_enabled=False)

    for heading in (
        "The day",
        "Agents",
        "Calls by hour",
        "Funnel by source",
        "Overdue calls",
        "Imports",
        "Dead letters",
    ):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("1 import is in progress.")
    page.get_by_label("Day", exact=True).fill("2026-01-31")
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Day", exact=True)).to_have_value("2026-01-31")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
    page.get_by_role("link", name="Day before").click()
    expect(page.get_by_label("Day", exact=True)).to_have_value("2026-01-30")
    page.get_by_role("link", name="The overdue calls as a list").click()
    expect(page.get_by_role("rowheader", name="2026-03-01")).to_be_visible()
    page.get_by_role("link", name="Back to the dashboard").click()
    page.get_by_role("button", name="Sign out").click()
    assert path_of(page) == SIGN_IN
