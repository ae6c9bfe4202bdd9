"""Something that is done again and again in a thread of its own, whatever else the worker does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread


@contextmanager
def repeat_in_thread(name: str, do: Callable[[], None], stop: Event, *, every: float) -> Iterator[None]:
    """Call `do` as long as the block lasts, with a pause of `every` seconds after each call.

    However the block is left, `stop` is set then, and the thread of that name has ended.
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
