"""What is said where Unite cannot start."""


class StartRefused(Exception):
    """Unite cannot start here; the message says why, and what to do."""
