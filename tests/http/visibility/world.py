"""Scenario of the visibility tests: a team, with a marker text in all data that a user might not be allowed to see.

The expected state at each stage is written by hand: who is assigned which lead and task, who has which role. The policy
uses that state, and not the answers of the service.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from tests.http.service import Service
from unite_core.files import upload_key
from unite_core.identity.model import Role, User
from unite_core.identity.use_cases import NewUser
from unite_core.imports.use_cases.start import file_key

PASSWORD = "correct horse battery"
NEW_PASSWORD = "staple battery horse"
DUE = "2026-03-09T15:00:00Z"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 92
CSV = b"Name,Phone\nRow-Created,+12125550188\nRow-Rejected,12\n"

PEOPLE = {
    "ann": Role.AGENT,  # is assigned Grace, until Ben is
    "ben": Role.AGENT,
    "cyd": Role.AGENT,  # has a lead of her own, and no access to the others
    "eve": Role.AGENT,  # is deactivated
    "mia": Role.MANAGER,
    "dan": Role.MANAGER,  # becomes an agent
    "ada": Role.ADMIN,
    "zoe": Role.ADMIN,  # becomes a manager
}
STRANGER = "stranger"
VIEWERS = (STRANGER, *PEOPLE)


@dataclass
class LeadFacts:
    """The expected state of a lead; `values` are all past and present values of its fields."""

    id: str
    owner: str | None
    values: set[str]
    images: dict[str, str] = field(default_factory=dict)
    deleted: bool = False


@dataclass
class TaskFacts:
    """The expected state of a task; `texts` are its notes and reasons, `participants` the users in it.

    `former` are its previous assignees.
    """

    id: str
    lead: str
    holder: str | None
    pending: bool
    participants: set[str]
    former: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)
    entries: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class First:
    """A request sent with an Idempotency-Key, to be sent again."""

    label: str
    operation: str
    sender: str
    path: str
    body: Mapping[str, Any]


def a_form(filename: str) -> dict[str, Any]:
    """Return a file of leads as a form with one part."""
    head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'
    data = head.encode() + CSV + b"\r\n--edge--\r\n"
    return {"data": data, "content_type": "multipart/form-data; boundary=edge"}


class World:
    """The service, its users, and the expected state."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.roles = dict(PEOPLE)
        self.active = set(PEOPLE)
        self.users: dict[str, User] = {name: self._hire(name, role) for name, role in PEOPLE.items()}
        self.persons = {name: service.log_in(user) for name, user in self.users.items()}
        self.persons[STRANGER] = service.stranger
        self.leads: dict[str, LeadFacts] = {}
        self.tasks: dict[str, TaskFacts] = {}
        self.imports: dict[str, str] = {}
        self.deliveries: set[str] = set()
        self.others: set[str] = set()
        self.firsts: list[First] = []
        self._begin()

    def _hire(self, name: str, role: Role) -> User:
        new = NewUser(
            email=f"{name}@people.example",
            name=f"Person-{name}",
            role=role,
            phone=None,
            password=PASSWORD,
        )
        return self.service.unite.identity.create_user.unchecked(new)

    # Actions of users

    def send(self, name: str, method: str, path: str, **request: Any) -> TestResponse:
        """Send a request, and expect success."""
        answer = self.persons[name].send(method, path, **request)
        assert answer.status_code < 400, (name, method, path, answer.get_data(as_text=True))
        return answer

    def first(self, label: str, operation: str, sender: str, path: str, **request: Any) -> TestResponse:
        """Send a request with an Idempotency-Key."""
        self.firsts.append(First(label, f"POST {operation}", sender, path, request))
        return self.send(sender, "POST", path, headers={"Idempotency-Key": label}, **request)

    def id_of(self, name: str) -> str:
        """Return the id of a user."""
        return str(self.users[name].id)

    def relay(self) -> None:
        """Run all jobs."""
        self.service.ports.jobs.run_all(self.service.unite)

    def _lead(self, name: str, by: str, owner: str | None) -> None:
        number = len(self.leads)
        company = f"Company-of-{name}"
        values = {f"Lead-{name}", f"+1212555010{number}", f"{name.lower()}@leads.example", company}
        body = {"name": f"Lead-{name}", "phone": f"+1212555010{number}", "email": f"{name.lower()}@leads.example"}
        body |= {"company": company}
        body |= {"assigned_to": self.id_of(owner)} if owner else {}
        answer = self.first(f"lead {name}", "/v1/leads", by, "/v1/leads", json=body)
        self.leads[name] = LeadFacts(answer.get_json()["id"], owner, values)

    def _task(self, name: str, by: str, lead: str, holder: str) -> None:
        text = f"Note-of-{name}"
        body = {"lead_id": self.leads[lead].id, "due_at": DUE, "note": text, "assigned_to": self.id_of(holder)}
        answer = self.first(f"task {name}", "/v1/call-tasks", by, "/v1/call-tasks", json=body)
        self.tasks[name] = TaskFacts(answer.get_json()["id"], lead, holder, True, {by, holder}, {text})

    def note(self, task: str, by: str) -> None:
        """Write a note on a task."""
        facts, text = self.tasks[task], f"Note-{by}-{task}"
        path = f"/v1/call-tasks/{facts.id}/notes"
        self.first(f"note {task}", "/v1/call-tasks/<uuid:task_id>/notes", by, path, json={"text": text})
        facts.texts.add(text)
        facts.participants.add(by)

    def complete(self, task: str, by: str) -> None:
        """Complete a task."""
        facts, seconds = self.tasks[task], 40000 + len(self.firsts)
        body = {"outcome": "connected", "duration_seconds": seconds, "note": f"Call-of-{task}"}
        operation = "/v1/call-tasks/<uuid:task_id>/complete"
        self.first(f"completion {task}", operation, by, f"/v1/call-tasks/{facts.id}/complete", json=body)
        self._closed(task, by, {f"Call-of-{task}"}, seconds)

    def _closed(self, task: str, by: str, texts: set[str], *numbers: int) -> None:
        facts = self.tasks[task]
        facts.pending = False
        facts.texts |= texts
        facts.numbers |= set(numbers)
        facts.participants.add(by)
        self._find_entries(task)

    def _find_entries(self, task: str) -> None:
        facts = self.tasks[task]
        entries = self.send("mia", "GET", f"/v1/call-tasks/{facts.id}/ledger").get_json()["entries"]
        facts.entries |= {value for entry in entries for value in (entry["id"], entry["hash"])}

    def _correct(self, task: str, by: str) -> None:
        facts, reason = self.tasks[task], f"Correction-of-{task}"
        entry = self.send(by, "GET", f"/v1/call-logs?task_id={facts.id}").get_json()["items"][0]["id"]
        seconds = 50000 + len(self.firsts)
        body = {"reason": reason, "outcome": "busy", "duration_seconds": seconds}
        operation = "/v1/call-logs/<uuid:entry_id>/corrections"
        self.first(f"correction {task}", operation, by, f"/v1/call-logs/{entry}/corrections", json=body)
        self._closed(task, by, {reason}, seconds)

    def _image(self, lead: str, by: str) -> None:
        path, filename = f"/v1/leads/{self.leads[lead].id}/images", f"Image-of-{lead}.png"
        body = {"content_type": "image/png", "size": len(PNG), "filename": filename}
        image = self.first(f"image {lead}", "/v1/leads/<uuid:lead_id>/images", by, path, json=body).get_json()["id"]
        key = upload_key(f"images/{self.leads[lead].id}/{image}")
        with self.service.ports.files.write(key, content_type="image/png") as stream:
            stream.write(PNG)
        operation = "/v1/leads/<uuid:lead_id>/images/<uuid:image_id>/complete"
        self.first(f"picture {lead}", operation, by, f"{path}/{image}/complete")
        self.leads[lead].images[image] = filename

    def _import(self, by: str) -> None:
        imports = "/v1/lead-imports"
        one = "/v1/lead-imports/<uuid:import_id>"
        announced = self.first("announced", imports, by, imports, json={"filename": "Import-1.csv", "size": len(CSV)})
        self.imports["announced"] = announced.get_json()["id"]
        with self.service.ports.files.write(
            upload_key(file_key(UUID(self.imports["announced"]))), content_type="text/csv"
        ) as stream:
            stream.write(CSV)
        path = f"{imports}/{self.imports['announced']}"
        self.first("started", f"{one}/start", by, f"{path}/start")
        self.relay()
        self.first("undone", f"{one}/undo", by, f"{path}/undo")
        other = self.send(by, "POST", imports, json={"filename": "Import-2.csv", "size": 9}).get_json()["id"]
        self.imports["cancelled"] = other
        self.first("cancelled", f"{one}/cancel", by, f"{imports}/{other}/cancel")
        uploaded = self.first("uploaded", f"{imports}/file", by, f"{imports}/file", **a_form("Import-3.csv"))
        self.imports["uploaded"] = uploaded.get_json()["id"]
        self.relay()

    def _begin(self) -> None:
        self._lead("Grace", "mia", "ann")
        self._lead("Own", "cyd", None)
        self.leads["Own"].owner = "cyd"
        self._lead("Made", "dan", "eve")
        self._lead("Kept", "dan", "dan")
        self._task("called", "ann", "Grace", "ann")
        self._task("open", "mia", "Grace", "ann")
        self._task("own", "cyd", "Own", "cyd")
        self._task("made", "dan", "Made", "eve")
        self._task("kept", "dan", "Kept", "dan")
        self.note("open", "ann")
        self.complete("called", "ann")
        self._correct("called", "mia")
        self._image("Grace", "ann")
        self._import("dan")
        self._admin("zoe")
        self.first(
            "password",
            "/v1/me/password",
            "ann",
            "/v1/me/password",
            json={"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        )
        path = f"/v1/call-tasks/{self.tasks['made'].id}/assign"
        body = {"assigned_to": self.id_of("eve")}
        self.first("assignment made", "/v1/call-tasks/<uuid:task_id>/assign", "dan", path, json=body)
        path = f"/v1/call-tasks/{self.tasks['kept'].id}/cancel"
        body = {"reason": "Reason-of-kept"}
        self.first("cancellation kept", "/v1/call-tasks/<uuid:task_id>/cancel", "dan", path, json=body)
        self._closed("kept", "dan", {"Reason-of-kept"})
        self._correct("kept", "dan")
        self.complete("made", "dan")
        self.look_around()

    def _admin(self, by: str) -> None:
        new = {"email": "new@people.example", "name": "Person-new", "role": "agent", "password": PASSWORD}
        user = self.first("user", "/v1/users", by, "/v1/users", json=new).get_json()["id"]
        self.others.add(user)
        self.relay()
        path = "/v1/deliveries?destination=texts&status=skipped"
        skipped = self.send(by, "GET", path).get_json()["items"][0]["id"]
        self.first("replayed", "/v1/deliveries/<uuid:delivery_id>/replay", by, f"/v1/deliveries/{skipped}/replay")

    def look_around(self) -> None:
        """Record the existing deliveries."""
        self.relay()
        items = self.send("mia", "GET", "/v1/deliveries?limit=200").get_json()["items"]
        self.deliveries |= {each["id"] for each in items}
