"""In-memory service with its HTTP application, and users of each role who send requests."""

from collections.abc import Mapping
from typing import Any

from werkzeug.test import TestResponse

from adapters.twilio.opt_outs import opts_out
from entrypoints.api_links import ApiLinks
from entrypoints.capacity import MAX_EVENT_STREAMS
from entrypoints.http.app import create_app
from entrypoints.http.config import HealthCheck, HttpConfig, TextSignatureVerifier
from entrypoints.http.dashboard.views import Figures
from entrypoints.networks import parse_proxies
from tests.http.documented_client import documented_client
from tests.http.shared_rules import share_rules
from unite_core.application import Rules, build
from unite_core.identity.model import Role, User
from unite_core.identity.use_cases import NewUser
from unite_core.phone import PhonePolicy
from unite_core.quotas import Quotas
from unite_core.testing.in_memory import in_memory_ports

PASSWORD = "correct horse battery"
PUBLIC_URL = "https://unite.example"
TASKS = "/v1/call-tasks"
LOGS = "/v1/call-logs"
CALL = {"outcome": "connected", "duration_seconds": 300}
DUE = "2026-03-02T15:00:00Z"
ANNS_NUMBER = "+12125550142"

share_rules()


class Person:
    """A client of the API, with an access token or without."""

    def __init__(self, service: "Service", user: User | None = None, token: str | None = None) -> None:
        self.service = service
        self._client = documented_client(service.app)
        self._token = token
        self._user = user

    @property
    def user(self) -> User:
        assert self._user is not None
        return self._user

    def send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **body: Any) -> TestResponse:
        own = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return self._client.open(path, method=method, headers={**own, **(headers or {})}, **body)

    def get(self, path: str, headers: Mapping[str, str] | None = None, **rest: Any) -> TestResponse:
        return self.send("GET", path, headers=headers, **rest)

    def post(self, path: str, headers: Mapping[str, str] | None = None, **rest: Any) -> TestResponse:
        return self.send("POST", path, headers=headers, **rest)

    def patch(self, path: str, **rest: Any) -> TestResponse:
        return self.send("PATCH", path, **rest)

    def delete(self, path: str, **rest: Any) -> TestResponse:
        return self.send("DELETE", path, **rest)


class Service:
    """Unite in memory behind its HTTP application."""

    def __init__(
        self,
        *,
        requests_per_minute: int = 0,
        logins_per_minute: int = 0,
        checks: Mapping[str, HealthCheck] | None = None,
        public_url: str = PUBLIC_URL,
        cursor_secrets: tuple[bytes, ...] = (b"s" * 32,),
        verify_text_signature: TextSignatureVerifier | None = None,
        trusted_proxies: str = "",
        cors_origins: tuple[str, ...] = (),
        quotas: Quotas | None = None,
        default_country: str | None = "US",
        max_event_streams: int = MAX_EVENT_STREAMS,
        figures: Figures | None = None,
        **ports: Any,
    ) -> None:
        self.ports = in_memory_ports(**{"links": ApiLinks(public_url), **ports})
        rules = Rules(
            phones=PhonePolicy(default_country=default_country),
            logins_per_minute=logins_per_minute,
            quotas=quotas or Quotas(),
        )
        self.unite = build(self.ports, rules)
        self.http_config = HttpConfig(
            public_url=public_url,
            cursor_secrets=cursor_secrets,
            requests_per_minute=requests_per_minute,
            signed_files=self.ports.files,
            checks=checks or {},
            verify_text_signature=verify_text_signature,
            opts_out=opts_out,
            trusted_proxies=parse_proxies(trusted_proxies) if trusted_proxies else (),
            cors_origins=cors_origins,
            max_event_streams=max_event_streams,
        )
        self.app = create_app(self.unite, self.http_config, figures)
        self.stranger = Person(self)

    def run_jobs(self) -> None:
        """Do what workers would do now: run imports and undos, deliver events."""
        self.ports.jobs.run_all(self.unite)

    def add(self, role: Role, email: str | None = None, phone: str | None = None) -> User:
        """Add a user of that role, whose password is `PASSWORD`."""
        new = NewUser(
            email=email or f"{role}-{self.ports.ids.new()}@unite.example",
            name=f"Somebody {role}",
            role=role,
            phone=phone,
            password=PASSWORD,
        )
        return self.unite.identity.create_user.unchecked(new)

    def log_in(self, user: User) -> Person:
        """Return the user as a client of the API."""
        answer = self.stranger.post("/v1/auth/login", json={"email": user.email, "password": PASSWORD})
        return Person(self, user, answer.json["access_token"] if answer.json else None)

    def admin(self) -> Person:
        return self.log_in(self.add(Role.ADMIN))

    def manager(self) -> Person:
        return self.log_in(self.add(Role.MANAGER))

    def agent(self) -> Person:
        return self.log_in(self.add(Role.AGENT))


class HttpScenario:
    """A service and users who send requests: an admin, a manager, and the agents Ann, who has a phone, and Ben.

    `grace` is the id of Ann's lead, Grace Hopper; without `lead` there is none, and call tasks name their own.
    """

    def __init__(self, service: Service | None = None, *, lead: bool = True) -> None:
        self.service = service = service or Service()
        self.admin = service.admin()
        self.manager = service.manager()
        self.ann = service.log_in(service.add(Role.AGENT, phone=ANNS_NUMBER))
        self.ben = service.agent()
        self.grace = self.create_lead("Grace Hopper", "+12125550123", assigned_to=id_of(self.ann)) if lead else ""

    def create_lead(self, name: str, phone: str | None = None, **new: Any) -> str:
        """Create a lead, as the manager; return its id."""
        return str(created(self.manager.post("/v1/leads", json={"name": name, "phone": phone, **new}))["id"])

    def create_call_task(self, **new: Any) -> dict[str, Any]:
        """Create a call task to Grace, for Ann, as the manager."""
        return created(self.manager.post(TASKS, json={"lead_id": self.grace, "due_at": DUE, **new}))

    def completed_call_task(self, **call: Any) -> dict[str, Any]:
        """Create a call task, and complete it as Ann."""
        answer = complete(self.ann, self.create_call_task()["id"], **call)
        assert answer.status_code == 200, answer.get_json()
        task: dict[str, Any] = answer.get_json()
        return task


def created(answer: TestResponse) -> dict[str, Any]:
    """Return the resource that the answer says is created."""
    assert answer.status_code == 201, answer.get_json()
    resource: dict[str, Any] = answer.get_json()
    return resource


def complete(person: Person, task_id: str, **call: Any) -> TestResponse:
    """Complete a call task, as connected unless `call` says otherwise."""
    headers = call.pop("headers", None)
    return person.post(f"{TASKS}/{task_id}/complete", headers, json={**CALL, **call})


def id_of(person: Person) -> str:
    """Return the id of the user."""
    return str(person.user.id)


def items(answer: TestResponse) -> list[dict[str, Any]]:
    """Return the items of a page."""
    assert answer.status_code == 200, answer.get_json()
    of_page: list[dict[str, Any]] = answer.get_json()["items"]
    return of_page


def ids(answer: TestResponse) -> list[str]:
    """Return the ids of the items of a page, in their order."""
    return [each["id"] for each in items(answer)]


def problem(answer: TestResponse) -> tuple[int, str]:
    """Status and code of an answer that is a problem."""
    assert answer.mimetype == "application/problem+json", answer.get_data(as_text=True)
    document = answer.get_json()
    assert document["type"] == f"/problems/{document['code']}"
    assert document["correlation_id"] == answer.headers["X-Correlation-ID"]
    return answer.status_code, document["code"]


def faults(answer: TestResponse) -> list[tuple[str, str]]:
    """Where each fault of a problem is, and its code."""
    return [(each.get("pointer", each.get("parameter")), each["code"]) for each in answer.get_json().get("errors", [])]
