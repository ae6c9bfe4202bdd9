"""Storing of the result of a chunk of rows: its leads and their snapshots."""

from dataclasses import replace
from uuid import UUID

from unite_core.imports.chunk import ChunkResult
from unite_core.imports.model import TOUCHED, LeadSnapshot
from unite_core.imports.ports import ImportsUnitOfWork


def store_chunk(work: ImportsUnitOfWork, import_id: UUID, result: ChunkResult) -> None:
    """Store a chunk's leads, and the snapshots of their earlier state."""
    for writes in result.writes:
        for lead in writes.updated.values():
            work.leads.save(lead)
        work.leads.add_many(writes.created)
    if result.snapshots:
        work.rows.add_snapshots(_marked(work, import_id, result))


def _marked(work: ImportsUnitOfWork, import_id: UUID, result: ChunkResult) -> list[LeadSnapshot]:
    """Return the chunk's snapshots; leads that somebody else has changed since are marked as not to be undone."""
    ids = [snapshot.lead_id for snapshot in result.snapshots]
    stored = {
        snapshot.lead_id: snapshot for snapshot in work.rows.snapshots_of(import_id, limit=len(ids), lead_ids=ids)
    }
    marked = []
    for snapshot in result.snapshots:
        before = result.versions_before[snapshot.lead_id]
        earlier = stored.get(snapshot.lead_id)
        expected = earlier.version_after if earlier else 1
        touched = (earlier is not None or snapshot.made_by_import) and before != expected
        marked.append(replace(snapshot, version_after=TOUCHED) if touched else snapshot)
    return marked


def store_dry_run(work: ImportsUnitOfWork, import_id: UUID, result: ChunkResult) -> None:
    """Store a chunk's leads for the rest of the dry run only."""
    for writes in result.writes:
        work.rehearsal.put(import_id, [*writes.updated.values(), *writes.created])
