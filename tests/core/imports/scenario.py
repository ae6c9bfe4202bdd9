"""In-memory scenario for imports: Unite, an admin, and helpers to upload and run files."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from unite_core import (
    Actor,
    FileToImport,
    ImportOptions,
    Lead,
    LeadFilter,
    LeadImport,
    NewUser,
    PageRequest,
    Rejection,
    RejectionFilter,
    Role,
    Unite,
    build,
)
from unite_core.imports.use_cases.continue_import import ContinueImport
from unite_core.testing.builders import csv_text
from unite_core.testing.in_memory import InMemoryPorts, in_memory_ports

HEADER = ("Name", "Phone", "Email", "Status", "Source", "Owner")


@dataclass
class ImportScenario:
    """Unite in memory; imports commit `chunk_rows` rows at a time."""

    ports: InMemoryPorts = field(default_factory=in_memory_ports)
    chunk_rows: int = 2

    def __post_init__(self) -> None:
        self.unite: Unite = build(self.ports)
        admin = NewUser(email="ann@unite.example", name="Ann", role=Role.ADMIN, password="correct horse battery")
        self.admin = self.unite.identity.create_user.unchecked(admin)
        self.ann = Actor(user_id=self.admin.id, role=Role.ADMIN)

    @property
    def continue_import(self) -> ContinueImport:
        return replace(self.unite.imports.continue_import, chunk_rows=self.chunk_rows)

    def upload(self, content: str | bytes | Sequence[Sequence[str]], **options: Any) -> LeadImport:
        """Store and queue a file: a text, bytes, or rows under `HEADER` (None is an empty cell)."""
        if not isinstance(content, str | bytes):
            content = csv_text(HEADER, [(*row, *[""] * (len(HEADER) - len(row))) for row in content])
        if isinstance(content, str):
            content = content.encode()
        stored = self.unite.imports.store_file(self.ann, io.BytesIO(content))
        file = FileToImport(stored=stored, filename="leads.csv", options=ImportOptions(**options))
        return self.unite.imports.import_stored_file(self.ann, file)

    def run(self, import_id: UUID, holder: str = "worker") -> LeadImport:
        """Run an import to its end."""
        self.continue_import(import_id, holder=holder)
        return self.get(import_id)

    def import_file(self, content: str | bytes | Sequence[Sequence[str]], **options: Any) -> LeadImport:
        """Upload a file and run the import."""
        return self.run(self.upload(content, **options).id)

    def get(self, import_id: UUID) -> LeadImport:
        return self.unite.imports.get(self.ann, import_id)

    def leads(self) -> list[Lead]:
        """Return all leads, oldest first."""
        page = self.unite.leads.list(self.ann, LeadFilter(), PageRequest(limit=200))
        assert page.next is None
        return [*page.items][::-1]

    def rejections(self, import_id: UUID) -> list[Rejection]:
        return [*self.unite.imports.list_rejections(self.ann, RejectionFilter(import_id=import_id, limit=500)).items]


def contents(leads: Sequence[Lead]) -> list[tuple[object, ...]]:
    """Return the values of leads, without ids and times."""
    told = [(it.name, it.phone, it.email, it.status, it.source, it.assigned_to) for it in leads]
    return sorted(told, key=str)
