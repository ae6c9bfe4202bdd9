"""Users of the demonstration, and helpers that print its steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from entrypoints.cli.demo_service import DemoClient
from unite_core.identity.model import Role

DOMAIN = "unite.example.com"
AMYS_PHONE = "+12125550142"

PEOPLE = (("Ada", Role.ADMIN), ("Mo", Role.MANAGER), ("Amy", Role.AGENT), ("Ben", Role.AGENT))
PHONES = {"Amy": AMYS_PHONE}
MAY = {
    Role.ADMIN: "everything, users included",
    Role.MANAGER: "import leads, see all of them, assign leads and calls, correct the call log",
    Role.AGENT: "see and change the leads, and make the calls, that are assigned to them",
}


@dataclass(frozen=True)
class Person:
    """A user of the demonstration."""

    name: str
    role: Role
    password: str

    @property
    def email(self) -> str:
        """Return the e-mail address for logging in."""
        return f"{self.name.lower()}@{DOMAIN}"


@dataclass(frozen=True)
class Team:
    """The console, and a logged-in client for the manager and each agent."""

    console: Console
    manager: DemoClient
    agents: Mapping[str, DemoClient]
    ids: Mapping[str, str]


def print_step(shown: Console, number: int, text: str) -> None:
    """Print the heading of a step."""
    shown.print()
    shown.print(Text(f"{number}. {text}", style="bold cyan"))


def table(*columns: str) -> Table:
    """Return a table with the indentation of a step's text."""
    indented = Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="bold")
    indented.columns[0].header = f"  {columns[0]}"
    return indented


def add_people(shown: Console, url: str, people: Sequence[Person]) -> Team:
    """Let the first person, the admin, add the others, and log those in."""
    print_step(shown, 2, "Add a user of each role")
    admin, manager, *agents = people
    admin_client = DemoClient(url)
    admin_client.log_in(admin.email, admin.password)
    ids = {}
    for person in (manager, *agents):
        new = {"email": person.email, "name": person.name, "role": person.role, "password": person.password}
        ids[person.name] = admin_client.call("POST", "/v1/users", new | {"phone": PHONES.get(person.name)}, expect=201)[
            "id"
        ]
    clients = {person.name: DemoClient(url) for person in (manager, *agents)}
    for person in (manager, *agents):
        clients[person.name].log_in(person.email, person.password)
    roles = table("Name", "Role", "May")
    for person in people:
        roles.add_row(f"  {person.name}", person.role, MAY[person.role])
    shown.print(roles)
    return Team(shown, clients[manager.name], {agent.name: clients[agent.name] for agent in agents}, ids)
