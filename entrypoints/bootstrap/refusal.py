"""The error for a start that fails."""


class StartRefused(Exception):
    """Unite cannot start; the message says why, and what to do."""
