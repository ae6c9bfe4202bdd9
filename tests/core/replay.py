"""Helper for idempotency tests: replays the first answer unchanged."""

from unite_core import Replay

SHOW_AGAIN = Replay(lambda answer: answer)
