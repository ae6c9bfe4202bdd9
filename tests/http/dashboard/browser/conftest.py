"""Fixtures for browser tests: headless Chromium, and a service that listens on a local port."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from werkzeug.serving import make_server

from tests.databases import a_database
from tests.http.dashboard.browser.site import Site
from tests.http.dashboard.examples import ExampleFigures
from tests.http.dashboard.sales_day import SalesDay, service_over
from tests.http.service import Service
from tests.servers.apt import BROWSERS
from tests.service_process import TIMEOUT, free_port


# Not for the whole run, because while Playwright runs no other test of this process can run an event loop.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Return the installed Chromium."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.fail("Chromium is missing; `make programs` installs it.", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        # Its default of 5 seconds is too short for a page of many elements on a busy machine.
        expect.set_options(timeout=TIMEOUT * 1000)
        yield browser
        browser.close()


@pytest.fixture
def site(chromium: Browser) -> Iterator[Site]:
    """Run a service with invented figures on a local port."""
    port = free_port()
    service = Service(public_url=f"http://127.0.0.1:{port}", figures=ExampleFigures())
    with listening(service, port, chromium) as made:
        yield made


@pytest.fixture(scope="module")
def working_day(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, SalesDay]]:
    """Run a service over SQLite with the figures of its own reports, after a day of calls."""
    engine = a_database(tmp_path_factory.mktemp("day"))
    port = free_port()
    service = service_over(engine, public_url=f"http://127.0.0.1:{port}")
    day = SalesDay(service)
    with listening(service, port, chromium) as made:
        yield made, day
    engine.dispose()


@contextmanager
def listening(service: Service, port: int, browser: Browser) -> Iterator[Site]:
    """Serve the service at that port; yield the site for visitors."""
    server = make_server("127.0.0.1", port, service.app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made = Site(service, service.http_config.public_url, browser)
    yield made
    made.close()
    server.shutdown()
    thread.join()
    server.server_close()
