"""Files on their way to clients from the storage that the service itself is."""

import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

from entrypoints.capacity import DOWNLOADS
from entrypoints.http.problems import too_many_transfers

BLOCK = 256 * 1024


class Downloads:
    """The downloads that this process has open, at most `most` at once."""

    def __init__(self, most: int = DOWNLOADS) -> None:
        self._places = threading.BoundedSemaphore(most)

    def open(self, file: BinaryIO) -> "Download":
        """The file as the body of an answer; raises `Unavailable` (`too_many_transfers`), and closes the file then."""
        if not self._places.acquire(blocking=False):
            file.close()
            raise too_many_transfers("Too many files are being downloaded; ask for this one later.")
        return Download(file, self._places.release)


class Download(Iterator[bytes]):
    """One file, block by block; it gives its place back when it is closed."""

    def __init__(self, file: BinaryIO, on_close: Callable[[], None]) -> None:
        self._file = file
        self._on_close = on_close

    def __next__(self) -> bytes:
        block = self._file.read(BLOCK)
        if not block:
            raise StopIteration
        return block

    def close(self) -> None:
        """Close the file; closing twice changes nothing."""
        if not self._file.closed:
            self._file.close()
            self._on_close()
