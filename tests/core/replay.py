"""A helper for idempotency tests that replays the first response unchanged."""

from unite_core import Replay

SHOW_AGAIN = Replay(lambda answer: answer)
