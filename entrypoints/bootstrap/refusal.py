"""The error for a start that fails."""

from entrypoints.settings import Settings
from entrypoints.settings.variables import HOST, PORT


class StartRefused(Exception):
    """Unite cannot start; the message says why, and what to do."""


def port_refusal(settings: Settings, error: OSError) -> StartRefused:
    """Return the refusal for an address of the settings at which the process cannot listen."""
    return StartRefused(
        f"{settings.host}:{settings.port} cannot be listened at ({error.strerror}). "
        f"Stop whatever has it, or name another in {HOST.name} and {PORT.name}."
    )
