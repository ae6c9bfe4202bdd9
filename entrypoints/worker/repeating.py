"""Call a function repeatedly in its own thread."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread


@contextmanager
def repeat_in_thread(name: str, do: Callable[[], None], stop: Event, *, every: float) -> Iterator[None]:
    """Call `do` in a thread of that name while the block runs, with a pause of `every` seconds after each call.

    When the block ends in any way, `stop` is set and the thread has ended.
    """

    def run() -> None:
        while not stop.is_set():
            do()
            stop.wait(every)

    thread = Thread(target=run, name=name)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
