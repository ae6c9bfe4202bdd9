"""Say which extra of unite-adapters is missing."""

from importlib.util import find_spec


def require(extra: str, *modules: str) -> None:
    """Raise `ModuleNotFoundError`, with the command that helps, unless the modules of this extra are installed."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ModuleNotFoundError(
            f"{', '.join(missing)} is not installed: pip install 'unite-adapters[{extra}]'", name=missing[0]
        )
