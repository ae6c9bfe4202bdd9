"""The overview page, its imports section that the page polls, and the form that replays a dead letter."""

from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import Response, current_app

from entrypoints.http.dashboard.day import DayQuery, chosen_day, set_zone_cookie, zone_or_default
from entrypoints.http.dashboard.pages import PageForm, form, page, see_other, signed_in_page
from entrypoints.http.dashboard.paths import HOME, REPLAY
from entrypoints.http.dashboard.sections import latest_dead_letters, latest_imports, overdue_calls
from entrypoints.http.dashboard.templating import html
from entrypoints.http.dashboard.views import Figures
from entrypoints.http.framework.context import actor, unite
from entrypoints.http.framework.fields import Id
from unite_core.deadlocks import retry_on_deadlock
from unite_core.identity.model import Permission

IMPORTS_PART = "/dashboard/parts/imports"

FIGURES = "figures"
"""The key of the `Figures` in the application's extensions."""


@page(HOME, query=DayQuery)
def overview(query: dict[str, Any]) -> Response:
    """Show the figures of a day, overdue calls, imports and dead letters, as far as the role may see them."""
    day = chosen_day(query)
    me = actor()
    figures = cast("Figures", current_app.extensions[FIGURES])
    response = signed_in_page(
        "overview.html",
        day=day,
        figures=figures(me, day.day, day.tz),
        overdue=overdue_calls(),
        imports=latest_imports() if me.may(Permission.IMPORT_LEADS) else None,
        imports_part=IMPORTS_PART,
        dead_letters=latest_dead_letters() if me.may(Permission.REPLAY_DELIVERIES) else None,
    )
    return set_zone_cookie(response, query)


class ReplayForm(PageForm):
    """The form that replays a dead letter."""

    delivery = Id(required=True)


@form(REPLAY, ReplayForm)
def replay(form: dict[str, Any]) -> Response:
    """Replay a dead letter."""
    retry_on_deadlock(lambda: unite().notifications.replay(actor(), form["delivery"]))
    return see_other(f"{HOME}#dead-letters-title")


@page(IMPORTS_PART, permission=Permission.IMPORT_LEADS)
def imports_part() -> Response:
    """Return the imports section, which the page polls."""
    return html("parts/imports.html", imports=latest_imports(), zone=ZoneInfo(zone_or_default()))
