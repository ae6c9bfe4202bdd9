"""Files in a folder, wake-ups through a pipe, and a topic and text messages that are written to the log."""

from typing import TYPE_CHECKING

from unite_core.lazy_names import lazy_names

if TYPE_CHECKING:
    from adapters.local.console import ConsoleTextMessages, ConsoleTopic
    from adapters.local.files import LocalFiles
    from adapters.local.wake_up_pipe import LocalJobs, WakeUps
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "adapters.local.console": ("ConsoleTextMessages", "ConsoleTopic"),
            "adapters.local.files": ("LocalFiles",),
            "adapters.local.wake_up_pipe": ("LocalJobs", "WakeUps"),
        },
    )

__all__ = [
    "ConsoleTextMessages",
    "ConsoleTopic",
    "LocalFiles",
    "LocalJobs",
    "WakeUps",
]
