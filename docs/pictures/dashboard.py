"""Draw the pictures of the dashboard: an invented day of a sales team in headless Chromium.

`make pictures` runs it. It needs the packages of the tests, and Chromium.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from tests.databases import a_database
from tests.http.dashboard.sales_day import TZ, SalesDay, service_over
from tests.http.service import PASSWORD
from tests.service_process import free_port

HERE = Path(__file__).resolve().parent
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = {"phone": 360, "desk": 1280}
MAX_BYTES = 150_000
COLOURS = 64
"""A picture of few colours is small, and these pages have few."""

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


@contextmanager
def served() -> Iterator[tuple[str, str]]:
    """Serve the day on a local port; yield its URL and the e-mail address of the admin."""
    with TemporaryDirectory() as folder:
        engine = a_database(Path(folder))
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        service = service_over(engine, public_url=url)
        admin = SalesDay(service).admin
        server = make_server("127.0.0.1", port, service.app, threaded=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield url, admin.email
        server.shutdown()
        thread.join()
        server.server_close()
        engine.dispose()


def draw(browser: Browser, url: str, email: str, scheme: Scheme, width: int) -> bytes:
    """Return the whole dashboard as a PNG."""
    context = browser.new_context(base_url=url, color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto("/dashboard/login")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")
    page.goto(f"/dashboard?tz={TZ}")
    picture = page.screenshot(full_page=True)
    context.close()
    return picture


def reduced(picture: bytes) -> bytes:
    """Return the picture with a palette of few colours."""
    written = BytesIO()
    Image.open(BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        written, "PNG", optimize=True
    )
    return written.getvalue()


def main() -> None:
    """Draw each picture and print its size."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        sys.exit("Chromium is missing. `make programs` installs it.")
    with served() as (url, email), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        for scheme in SCHEMES:
            for name, width in WIDTHS.items():
                picture = reduced(draw(browser, url, email, scheme, width))
                if len(picture) > MAX_BYTES:
                    sys.exit(f"The picture of the {name} is too large: {len(picture):,} bytes.")
                path = HERE / f"dashboard-{scheme}-{name}.png"
                path.write_bytes(picture)
                print(f"{path.name}: {len(picture):,} bytes")
        browser.close()


if __name__ == "__main__":
    main()
