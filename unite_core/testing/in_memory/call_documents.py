"""Store of call documents in memory."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

from unite_core.calls.model import CallResult
from unite_core.periods import quarter_of
from unite_core.reports.documents import ID, AgentKey, CallDocument, CallDocuments, StoredDocument
from unite_core.reports.ports import Timeline
from unite_core.reports.rollup_counts import merged
from unite_core.reports.tally import Tally


class InMemoryCallDocuments(CallDocuments):
    """Stores documents by their ids; a test may change `contents` directly."""

    def __init__(self) -> None:
        self.contents: dict[Any, dict[str, Any]] = {}
        self._lock = Lock()

    def store(self, documents: Sequence[CallDocument]) -> None:
        with self._lock:
            for document in documents:
                stored = self.contents.get(document.task_id)
                if stored is None or stored["number"] < document.number:
                    self.contents[document.task_id] = document.content()

    def by_agent(self, question: Timeline) -> Mapping[tuple[AgentKey, int], Tally]:
        with self._lock:
            return merged(
                {(_key(content["agent_id"]), segment.label(quarter)): _to_tally(content)}
                for content in self.contents.values()
                for quarter in [quarter_of(content["called_at"])]
                for segment in question.segments
                if segment.first <= quarter < segment.end and question.agent_id in (None, content["agent_id"])
            )

    def of_tasks(self, task_ids: Collection[UUID]) -> Sequence[StoredDocument]:
        return self._find(lambda content: content[ID] in task_ids or content["task_id"] in task_ids)

    def between(self, start: datetime, end: datetime) -> Sequence[StoredDocument]:
        return self._find(lambda content: start <= content["called_at"] < end)

    def replace(self, replacements: Sequence[tuple[StoredDocument, CallDocument]]) -> None:
        with self._lock:
            for stored, replacement in replacements:
                if self.contents.get(stored.id) == stored.content:
                    self.contents[stored.id] = replacement.content()

    def remove(self, documents: Sequence[StoredDocument]) -> None:
        with self._lock:
            for document in documents:
                if self.contents.get(document.id) == document.content:
                    del self.contents[document.id]

    def _find(self, matches: Callable[[Mapping[str, Any]], bool]) -> Sequence[StoredDocument]:
        with self._lock:
            return [StoredDocument(dict(content)) for content in self.contents.values() if matches(content)]


def _key(agent_id: UUID | None) -> AgentKey:
    return "" if agent_id is None else str(agent_id)


def _to_tally(content: Mapping[str, Any]) -> Tally:
    return Tally({CallResult(content["result"]): 1}, content["duration_seconds"] or 0, content["at"])
