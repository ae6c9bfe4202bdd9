"""Fuzz target for bodies of all routes. The first bytes choose the route, the user, the type and the headers."""

import json
from collections.abc import Iterator

from tests.fuzz.service import fuzzed_service
from tests.fuzz.target import Target

_TYPES = ("application/json", "application/merge-patch+json", "text/plain", "", "application/json; charset=\xff")
_LEFT_OUT = "/events"
"""Operations to leave out: the event stream of an import ends only with the import."""


def check(data: bytes) -> None:
    service = fuzzed_service()
    choice, body = data[:4].ljust(4, b"\0"), data[4:]
    routes = [route for route in service.routes if not route[1].endswith(_LEFT_OUT)]
    method, rule = routes[choice[0] % len(routes)]
    headers = {"Content-Type": _TYPES[choice[2] % 16] if choice[2] % 16 < len(_TYPES) else _TYPES[0]}
    if choice[3] & 1:
        headers["Idempotency-Key"] = f"key-{choice[3]}"
    if choice[3] & 2:
        headers["If-Match"] = '"1"'
    person = service.people[choice[1] % len(service.people)]
    service.ask(person, method, service.path(rule), data=body, headers=headers)


def _seeds() -> Iterator[bytes]:
    bodies = [
        {"email": "ada@unite.example", "password": "correct horse battery"},
        {"name": "Grace", "phone": "+12125550101", "email": "grace@example.com", "source": "web", "status": "new"},
        {"lead_id": "01890a5d-ac96-774b-bcce-b302099a8057", "due_at": "2030-01-01T09:00:00Z", "note": "Call."},
        {"outcome": "connected", "duration_seconds": 60, "note": "Talked.", "started_at": "2026-01-01T09:00:00Z"},
        {"outcome": "callback_requested", "duration_seconds": 1, "follow_up_at": "2030-01-02T09:00:00+02:00"},
        {"filename": "leads.csv", "size": 40, "options": {"columns": {"A": "name", "B": None}, "dry_run": True}},
        {"content_type": "image/png", "size": 100, "filename": "a.png"},
        {
            "email": "new@unite.example",
            "name": "New",
            "role": "agent",
            "password": "a password",
            "phone": "+12125550102",
        },
        {
            "assigned_to": "01890a5d-ac96-774b-bcce-b302099a8057",
            "text": "A note.",
            "reason": "Why not.",
            "active": False,
        },
        {"current_password": "correct horse battery", "new_password": "another password", "refresh_token": "token"},
    ]
    for body in bodies:
        text = json.dumps(body).encode()
        yield from (bytes((route, person, 0, 0)) + text for route in range(0, 256, 3) for person in (0,))


target = Target(
    name="json_body",
    check=check,
    seeds=_seeds,
    tokens=(
        *(
            b"{",
            b"}",
            b"[",
            b"]",
            b":",
            b",",
            b'"',
            b"null",
            b"true",
            b"false",
            b"0",
            b"-1",
            b"1e400",
            b"1.5",
            b"9" * 30,
        ),
        *(
            b'"name":',
            b'"phone":',
            b'"email":',
            b'"status":',
            b'"source":',
            b'"assigned_to":',
            b'"lead_id":',
            b'"note":',
        ),
        *(b'"due_at":', b'"outcome":', b'"duration_seconds":', b'"started_at":', b'"follow_up_at":', b'"text":'),
        *(b'"reason":', b'"filename":', b'"size":', b'"options":', b'"columns":', b'"dry_run":', b'"content_type":'),
        *(b'"role":', b'"password":', b'"active":', b'"refresh_token":', b'"new_password":', b'"current_password":'),
        *(b'"2030-01-01T09:00:00Z"', b'"0001-01-01T00:00:00+23:59"', b'"9999-12-31T23:59:60-12:00"', b'"\\u0000"'),
        *(b'"\\ud800"', b'"+12125550123"', b'"a@example.com"', b'"a\\u0301\\u0323"', b'"\\u202e"', b'"connected"'),
        *(
            b'"01890a5d-ac96-774b-bcce-b302099a8057"',
            b'"completed"',
            b'"admin"',
            b'"image/png"',
            b"\xff",
            b'"default_country":',
        ),
        *(b'"default_assigned_to":', b'"default_source":', b'"on_duplicate":', b'"update"', b'"US"', b'"\xc4\xb0"'),
    ),
)
