"""Files in a folder, wake-ups through a pipe, and a topic and text messages that are written to a file."""

from typing import TYPE_CHECKING

from unite_core.lazy_names import lazy_names

if TYPE_CHECKING:
    from adapters.local.files import LocalFiles
    from adapters.local.message_file import MessageFile, TextMessageFile, TopicFile
    from adapters.local.wake_up_pipe import LocalJobs, WakeUps
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "adapters.local.files": ("LocalFiles",),
            "adapters.local.message_file": ("MessageFile", "TextMessageFile", "TopicFile"),
            "adapters.local.wake_up_pipe": ("LocalJobs", "WakeUps"),
        },
    )

__all__ = [
    "LocalFiles",
    "LocalJobs",
    "MessageFile",
    "TextMessageFile",
    "TopicFile",
    "WakeUps",
]
