"""Tests of the documentation page in headless Chromium: its policy, its requests, and trying operations."""

from itertools import product
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.http.dashboard.browser.site import Site, accessibility, violations
from tests.http.dashboard.browser.test_pages_in_a_browser import is_wider_than_the_window
from tests.http.service import PASSWORD
from unite_core.identity.model import Role

DOCS = "/docs"
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
OPENED = ".opblock.is-open"
TRIED_OUT = ("me", "add_lead")
"""Without and with a body."""

ONE_OF_EACH_METHOD = ("me", "add_lead", "change_lead", "delete_lead", "receive_file")
"""A hundred more look like these; with them, each click and each look of axe-core takes seconds."""


def opened(site: Site, *operations: str) -> tuple[Page, list[str]]:
    """Open the page, with these operations alone or with all; return it with a list of the requests that failed."""
    page = site.page()
    if operations:
        describe_only(page, site, *operations)
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
    page.goto(DOCS)
    return page, failed


def describe_only(page: Page, site: Site, *operations: str, responses: int | None = None) -> None:
    """Have the page described by a document with these operations alone, and all or so many responses of each."""
    document = site.service.stranger.get("/openapi.json").get_json()
    for path, item in list(document["paths"].items()):
        kept = {name: it for name, it in item.items() if name != "parameters" and it["operationId"] in operations}
        for operation in kept.values():
            operation["responses"] = dict(sorted(operation["responses"].items())[:responses])
        if kept:
            document["paths"][path] = {"parameters": item.get("parameters", [])} | kept
        else:
            del document["paths"][path]
    page.route("**/openapi.json", lambda route: route.fulfill(json=document))


def authorize(page: Page, token: str) -> None:
    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_label("auth-bearer-value").fill(token)
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").last.click()


def block_of(page: Page, operation: str) -> Locator:
    return page.locator(f"[id$='-{operation}']")


def open_operation(page: Page, operation: str) -> None:
    block_of(page, operation).locator(".opblock-summary-control").click()
    expect(block_of(page, operation).locator(".responses-table")).to_be_visible()


def show_schemas(page: Page, operation: str) -> None:
    """Show the schemas of an operation in place of its examples, and open the first of them."""
    for tab in block_of(page, operation).get_by_role("tab", name="Schema").all():
        tab.click()
    buttons = block_of(page, operation).get_by_role("button", name="Expand all")
    if buttons.count():
        buttons.first.click()


def low_contrasts(page: Page, inside: str = "html") -> list[str]:
    """Return the elements inside an element whose text has too low a contrast, according to axe-core.

    Its other rules are about the markup, which is the library's.
    """
    result = accessibility(page, inside, runOnly=["color-contrast"])
    assert result["passes"]
    return [node["html"] for rule in result["violations"] for node in rule["nodes"]]


def execute(page: Page, operation: str) -> str:
    """Send an operation from the page; return the status of the response."""
    block = block_of(page, operation)
    open_operation(page, operation)
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    return block.locator(".live-responses-table tbody .response-col_status").first.inner_text().strip()


def test_every_operation_is_shown_within_the_content_security_policy(site: Site) -> None:
    paths = site.service.stranger.get("/openapi.json").get_json()["paths"].values()
    operations = [method for item in paths for method in item if method != "parameters"]

    page, failed = opened(site)

    expect(page.locator(".opblock")).to_have_count(len(operations))
    assert page.title() == "Unite · HTTP API"
    # The page takes seconds to load, but follows the width and the scheme of its window at once.
    for width, scheme in product((360, 1280), SCHEMES):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        assert not is_wider_than_the_window(page), (width, scheme)
    assert (violations(page), failed, site.elsewhere(), site.errors) == ([], [], [], [])


# Colours do not depend on the width: each scheme once, and the narrow and the wide window.
@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
def test_expanded_operations_fit_the_window_and_have_enough_contrast(site: Site, scheme: Scheme, width: int) -> None:
    page = site.page(color_scheme=scheme, viewport={"width": width, "height": 800})
    describe_only(page, site, *ONE_OF_EACH_METHOD, responses=2)
    page.goto(DOCS)
    expect(page.locator(".opblock")).to_have_count(len(ONE_OF_EACH_METHOD))
    faults = {"closed": (low_contrasts(page), is_wider_than_the_window(page))}

    for operation in ONE_OF_EACH_METHOD:
        open_operation(page, operation)
    faults["opened"] = (low_contrasts(page, OPENED), is_wider_than_the_window(page))
    show_schemas(page, "me")
    for operation in TRIED_OUT:
        block_of(page, operation).get_by_role("button", name="Try it out").click()
    block_of(page, "me").get_by_role("button", name="Execute").click()
    expect(block_of(page, "me").locator(".live-responses-table")).to_contain_text('"code": "unauthenticated"')
    low = [node for operation in TRIED_OUT for node in low_contrasts(page, f"[id$='-{operation}']")]
    faults["tried out"] = (low, is_wider_than_the_window(page))
    page.get_by_role("button", name="Authorize").first.click()
    expect(page.get_by_label("auth-bearer-value")).to_be_visible()
    faults["dialog"] = (low_contrasts(page, ".dialog-ux"), is_wider_than_the_window(page))

    assert faults == dict.fromkeys(faults, ([], False))
    assert violations(page) == []


def test_an_operation_can_be_tried_with_a_token(site: Site) -> None:
    user = site.user(Role.ADMIN)
    login = site.service.stranger.post("/v1/auth/login", json={"email": user.email, "password": PASSWORD}).get_json()
    page, failed = opened(site, "me")
    authorize(page, login["access_token"])

    with page.expect_response("**/v1/me") as sent:
        status = execute(page, "me")

    assert status == "200"
    assert sent.value.json()["id"] == str(user.id)
    assert (violations(page), failed, site.elsewhere(), site.errors) == ([], [], [], [])


def test_an_operation_without_a_token_shows_its_problem_document(site: Site) -> None:
    page, _ = opened(site, "me")

    assert execute(page, "me") == "401"

    expect(page.locator(".live-responses-table")).to_contain_text('"code": "unauthenticated"')
    assert (violations(page), site.elsewhere()) == ([], [])


def test_operations_are_sent_to_the_server_of_the_page(site: Site) -> None:
    port = site.url.rpartition(":")[2]
    page = site.page()
    describe_only(page, site, "live")

    page.goto(f"http://localhost:{port}{DOCS}")

    assert execute(page, "live") == "200"
    assert {url.rpartition("/docs")[0] for url in site.requested if url.endswith(DOCS)} == {f"http://localhost:{port}"}
    assert f"http://localhost:{port}/health/live" in site.requested
    assert violations(page) == []


def test_an_unreadable_document_is_reported(site: Site) -> None:
    page = site.page()
    page.route("**/openapi.json", lambda route: route.fulfill(status=503, json={"detail": "Try again later."}))

    page.goto(DOCS)

    expect(page.get_by_text("The OpenAPI document cannot be read: Try again later.")).to_be_visible()
