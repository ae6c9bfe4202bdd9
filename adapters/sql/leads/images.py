"""SQL repository of lead images."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update
from sqlalchemy.engine import Row

from adapters.sql.leads.tables import lead_images as images
from adapters.sql.statements import existing_values, force_index, newest_first, with_lock
from unite_core.errors import NotFound
from unite_core.leads.model import ImageStatus, LeadImage
from unite_core.leads.ports import LeadImages
from unite_core.paging import Page, PageRequest, Position, page_of


class SqlLeadImages(LeadImages):
    """Lead images in the relational database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, image: LeadImage) -> None:
        self._connection.execute(insert(images), _to_row(image))

    def get(self, lead_id: UUID, image_id: UUID) -> LeadImage:
        statement = select(images).where(images.c.id == image_id, images.c.lead_id == lead_id)
        row = self._connection.execute(with_lock(statement, self._connection)).first()
        if row is None:
            raise NotFound("There is no such image.")
        return _to_image(row)

    def save(self, image: LeadImage) -> None:
        stored = self._connection.execute(update(images).where(images.c.id == image.id).values(_to_row(image)))
        if not stored.rowcount:
            raise NotFound("There is no such image.")

    def remove(self, image_id: UUID) -> None:
        self._connection.execute(delete(images).where(images.c.id == image_id))

    def page(self, lead_id: UUID, request: PageRequest) -> Page[LeadImage]:
        ready = images.c.status == ImageStatus.READY.value
        statement = newest_first(
            images,
            images.c.created_at,
            request,
            images.c.lead_id == lead_id,
            ready,
            index="ix_lead_images_lead_created",
        )
        page = [_to_image(row) for row in self._connection.execute(statement)]
        return page_of(page, request.limit, lambda image: Position(image.created_at, image.id))

    def leads_with_images(self, lead_ids: Collection[UUID]) -> set[UUID]:
        return existing_values(self._connection, images.c.lead_id, lead_ids)

    def count_of_lead(self, lead_id: UUID) -> int:
        return self._count("ix_lead_images_lead_created", images.c.lead_id == lead_id)

    def count_announced(self, user_id: UUID) -> int:
        waiting = images.c.status == ImageStatus.AWAITING_UPLOAD.value
        return self._count("ix_lead_images_status_created", waiting, images.c.created_by == user_id)

    def _count(self, index: str, *conditions: ColumnElement[bool]) -> int:
        statement = force_index(select(func.count()).select_from(images), images, index).where(*conditions)
        count: int = self._connection.execute(statement).scalar_one()
        return count

    def abandoned(self, *, before: datetime, limit: int) -> Sequence[LeadImage]:
        statement = (
            select(images)
            .where(images.c.status == ImageStatus.AWAITING_UPLOAD.value, images.c.created_at < before)
            .order_by(images.c.created_at)
            .limit(limit)
        )
        return [_to_image(row) for row in self._connection.execute(statement)]


def _to_row(image: LeadImage) -> dict[str, Any]:
    return {
        "id": image.id,
        "lead_id": image.lead_id,
        "content_type": image.content_type,
        "size": image.size,
        "filename": image.filename,
        "file_key": image.key,
        "status": image.status.value,
        "created_by": image.created_by,
        "created_at": image.created_at,
    }


def _to_image(row: Row[Any]) -> LeadImage:
    return LeadImage(
        id=row.id,
        lead_id=row.lead_id,
        content_type=row.content_type,
        size=row.size,
        filename=row.filename,
        key=row.file_key,
        status=ImageStatus(row.status),
        created_by=row.created_by,
        created_at=row.created_at,
    )
