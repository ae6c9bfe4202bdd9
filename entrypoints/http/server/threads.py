"""A thread pool whose results are awaited on the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class ThreadPool:
    """A fixed number of threads with a queue of calls."""

    def __init__(self, maximum: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(maximum, thread_name_prefix=name)

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread and return or raise its result.

        This costs half as much as `loop.run_in_executor`, whose cost is a tenth of a small request.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._pool.submit(_run_call, work, done, loop)
        return await done


def _run_call(work: Callable[[], Any], done: "asyncio.Future[Any]", loop: asyncio.AbstractEventLoop) -> None:
    try:
        settle = partial(_settle, done, work(), None)
    except BaseException as error:  # noqa: BLE001 - it is raised again where the result is awaited
        settle = partial(_settle, done, None, error)
    # If the loop is closed, the server has stopped.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(settle)


def _settle(done: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)
