"""Render pages with Jinja; values are escaped, and unknown names are errors."""

from functools import cache
from pathlib import Path
from typing import Any

from flask import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from entrypoints.http.dashboard import formats
from entrypoints.http.dashboard.assets import ASSETS
from entrypoints.http.dashboard.charts import (
    UNKNOWN_SOURCE,
    chart_of_agents,
    chart_of_hours,
    chart_of_sources,
)
from entrypoints.http.dashboard.paths import PASSWORD, REPLAY, SIGN_IN, SIGN_OUT, page_of_list

HTML = "text/html; charset=utf-8"


@cache
def environment() -> Environment:
    """Return the Jinja environment of the dashboard."""
    jinja = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.globals.update(
        asset=ASSETS.path_of,
        chart_of_agents=chart_of_agents,
        chart_of_hours=chart_of_hours,
        chart_of_sources=chart_of_sources,
        unknown_source=UNKNOWN_SOURCE,
        page_of_list=page_of_list,
        password_path=PASSWORD,
        replay_path=REPLAY,
        sign_in_path=SIGN_IN,
        sign_out_path=SIGN_OUT,
    )
    jinja.filters.update(
        percent=formats.percent,
        duration=formats.duration,
        whole=formats.thousands,
        words=formats.words,
        moment=formats.moment,
        clock=formats.clock,
        age=formats.age,
        first_capital=formats.first_capital,
        day_in_words=formats.day_in_words,
    )
    return jinja


def html(template: str, *, status: int = 200, **shown: Any) -> Response:
    """Render a page, or a part of one."""
    return Response(environment().get_template(template).render(shown), status=status, content_type=HTML)
