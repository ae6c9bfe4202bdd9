"""Paths of the dashboard, the safe target of a redirect, and the page that shows the same list as an API URL."""

import re
from urllib.parse import urlsplit

HOME = "/dashboard"
SIGN_IN = "/dashboard/login"
SIGN_OUT = "/dashboard/logout"
PASSWORD = "/dashboard/password"  # noqa: S105  # a path, not a password
REPLAY = "/dashboard/dead-letters/replay"

PAGES_OF_LISTS = {
    "/v1/call-logs": "/dashboard/calls",
    "/v1/call-tasks": "/dashboard/tasks",
    "/v1/leads": "/dashboard/leads",
}
"""The lists of the API and their pages, which take the same query."""

MAX_NEXT_LENGTH = 2000

# Printable ASCII without a backslash, which browsers treat as a slash. The rest after /dashboard starts with / or ?.
_OWN_PAGE = re.compile(r"/dashboard(?:[/?][!-\[\]-~]*)?")


def safe_next(path_and_query: str | None) -> str:
    """Return the page to go to after signing in or changing the password.

    It is `path_and_query` if that is a page of the dashboard, otherwise the dashboard itself.
    """
    if path_and_query is None or len(path_and_query) > MAX_NEXT_LENGTH or _OWN_PAGE.fullmatch(path_and_query) is None:
        return HOME
    path = path_and_query.partition("?")[0]
    is_target = path not in (SIGN_IN, SIGN_OUT, PASSWORD) and "//" not in path and "/." not in path
    return path_and_query if is_target else HOME


def page_of_list(items_url: str) -> str:
    """Return the page that shows the same list as a URL of the API; raise `ValueError` if there is none."""
    parts = urlsplit(items_url)
    page = PAGES_OF_LISTS.get(parts.path)
    if page is None or parts.scheme or parts.netloc:
        raise ValueError(f"No page shows {items_url}.")
    return f"{page}?{parts.query}" if parts.query else page
