"""The dashboard in a browser: windows, their requests, and errors."""

import re
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Browser, BrowserContext, Page

from tests.http.service import PASSWORD, Service
from unite_core.identity.model import Role, User

HOME = "/dashboard"
SIGN_IN = "/dashboard/login"
CHANGE_PASSWORD = "/dashboard/password"
PART = "/dashboard/parts/imports"

_WATCH_POLICY = """
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
    });
"""


class Site:
    """The service, with windows for visitors."""

    def __init__(self, service: Service, url: str, browser: Browser) -> None:
        self.service = service
        self.url = url
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.requested: list[str] = []
        self.errors: list[str] = []

    def page(self, **options: Any) -> Page:
        """Open an empty window, and record its requests and errors."""
        context = self._browser.new_context(base_url=self.url, **options)
        self._contexts.append(context)
        context.add_init_script(_WATCH_POLICY)
        page = context.new_page()
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        return page

    def user(self, role: Role) -> User:
        return self.service.add(role)

    def signed_in(self, role: Role, **options: Any) -> Page:
        """Open a window with the dashboard of a new user of that role."""
        page = self.page(**options)
        sign_in(page, self.user(role))
        return page

    def elsewhere(self) -> list[str]:
        """Return the requests to other servers than this service."""
        return [url for url in self.requested if not url.startswith(f"{self.url}/")]

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def sign_in(page: Page, user: User, *, to: str = HOME) -> None:
    page.goto(SIGN_IN)
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(rf"{to}(\?|$)"))


def violations(page: Page) -> list[str]:
    """Return what the Content-Security-Policy blocked."""
    blocked: list[str] = page.evaluate("window.violations")
    return blocked


def path_of(page: Page) -> str:
    return urlsplit(page.url).path


def accessibility(page: Page, inside: str = "html", **options: Any) -> dict[str, Any]:
    """Return what axe-core finds inside an element: all `violations`, and of everything else one element per rule.

    Naming each of the elements that are right takes it most of its time.
    """
    found: dict[str, Any] = Axe().run(page, inside, {"resultTypes": ["violations"]} | options).response
    return found
