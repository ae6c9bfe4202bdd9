"""Links from page to page: where the sign-in leads back to, and the page of a list of the API."""

import re
from urllib.parse import urlsplit

HOME = "/dashboard"
SIGN_IN = "/dashboard/login"
SIGN_OUT = "/dashboard/logout"
PASSWORD = "/dashboard/password"  # noqa: S105  # a path, no password
REPLAY = "/dashboard/dead-letters/replay"

PAGES_OF_LISTS = {
    "/v1/call-logs": "/dashboard/calls",
    "/v1/call-tasks": "/dashboard/tasks",
    "/v1/leads": "/dashboard/leads",
}
"""The lists of the API that have a page, which takes the same query."""

MAX_NEXT_LENGTH = 2000

# Printable ASCII without a backslash, which browsers take for a slash. What follows /dashboard starts with / or ?.
_OWN_PAGE = re.compile(r"/dashboard(?:[/?][!-\[\]-~]*)?")


def safe_next(given: str | None) -> str:
    """The page to go to after signing in or changing the password.

    It is `given` if that is a page of the dashboard, else the dashboard itself.
    """
    if given is None or len(given) > MAX_NEXT_LENGTH or _OWN_PAGE.fullmatch(given) is None:
        return HOME
    path = given.partition("?")[0]
    leads_on = path not in (SIGN_IN, SIGN_OUT, PASSWORD) and "//" not in path and "/." not in path
    return given if leads_on else HOME


def page_of_list(items_url: str) -> str:
    """The page that shows the same list as a URL of the API; raises `ValueError` where there is none."""
    parts = urlsplit(items_url)
    page = PAGES_OF_LISTS.get(parts.path)
    if page is None or parts.scheme or parts.netloc:
        raise ValueError(f"No page shows {items_url}.")
    return f"{page}?{parts.query}" if parts.query else page
