"""Notices of uploads in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from unite_core.clock import Clock
from unite_core.imports.ports import UploadNotice, UploadNotices

HIDDEN_FOR = timedelta(minutes=1)
"""How long a notice that was received is hidden."""


class InMemoryUploadNotices(UploadNotices):
    """Stores the notices of `announce`. It does not wait: no notice comes while a test waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._announced = 0
        self._notices: dict[str, InMemoryUploadNotice] = {}

    @property
    def keys(self) -> list[str]:
        """The keys of all notices that are not done."""
        return [notice.key for notice in self._notices.values()]

    def announce(self, key: str) -> None:
        """Add a notice that a file was uploaded to the key."""
        self._announced += 1
        notice = InMemoryUploadNotice(f"notice-{self._announced}", key, self._notices, self._clock)
        self._notices[notice.id] = notice

    def receive(self, *, wait: timedelta = timedelta()) -> UploadNotice | None:  # noqa: ARG002 - none would come
        for notice in self._notices.values():
            if not notice.is_hidden:
                notice.hide()
                return notice
        return None


@dataclass
class InMemoryUploadNotice(UploadNotice):
    """A notice in memory."""

    id: str
    key: str
    _notices: "dict[str, InMemoryUploadNotice]" = field(repr=False)
    _clock: Clock = field(repr=False)
    _hidden_until: datetime | None = None
    _held: bool = False

    @property
    def is_hidden(self) -> bool:
        """Whether it cannot be received at present."""
        return self._held or (self._hidden_until is not None and self._clock.now() < self._hidden_until)

    def hide(self) -> None:
        """Hide it from all receivers for a minute."""
        self._hidden_until = self._clock.now() + HIDDEN_FOR

    @contextmanager
    def held(self) -> Iterator[None]:
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def done(self) -> None:
        self._notices.pop(self.id, None)
