"""Stream files from local storage to clients, with a limit on concurrent downloads."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from entrypoints.capacity import MAX_DOWNLOADS, MAX_DOWNLOADS_PER_ADDRESS
from entrypoints.http.framework.transfer_limits import TransferLimiter
from unite_core.errors import Unavailable

BLOCK = 256 * 1024


class Downloads:
    """The open downloads of this process: at most `max_open` at once, and `max_per_client` per client address."""

    def __init__(self, max_open: int = MAX_DOWNLOADS, max_per_client: int = MAX_DOWNLOADS_PER_ADDRESS) -> None:
        self._shares = TransferLimiter(max_open)
        self._max_of_one = max_per_client

    def open(self, file: BinaryIO, address: str) -> "Download":
        """Return the file as the body of a response to a client at this address.

        Raises `Unavailable` (`too_many_transfers`), after closing the file.
        """
        try:
            return Download(file, self._shares.take(address, self._max_of_one))
        except Unavailable:
            file.close()
            raise


class Download(Iterator[bytes]):
    """One file, block by block; closing it releases its place."""

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
