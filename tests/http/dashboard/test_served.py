"""Test of the dashboard in a running service."""

import re
from pathlib import Path

from tests.service_process import ADMIN, direct_session, service

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def test_a_user_signs_in_and_out_over_http(tmp_path: Path) -> None:
    with service(tmp_path) as one, direct_session() as browser:
        one.start()
        home = f"{one.url}/dashboard"

        form = browser.get(home, timeout=30)
        fields = {"csrf_token": TOKEN.findall(form.text)[0], "next": "/dashboard/leads", **ADMIN}
        page = browser.post(f"{home}/login", data=fields, headers={"Origin": one.url}, timeout=30)
        assert (page.url, page.status_code) == (f"{home}/leads", 200)
        assert "Admin" in page.text

        out = {"csrf_token": TOKEN.findall(page.text)[0]}
        left = browser.post(f"{home}/logout", data=out, headers={"Origin": one.url}, timeout=30)
        assert (left.url, left.status_code) == (f"{home}/login", 200)
        assert browser.get(home, timeout=30).url.startswith(f"{home}/login?")
        assert "correct horse battery" not in one.log.read_text()
