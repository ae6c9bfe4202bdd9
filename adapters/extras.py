"""Say which extra of unite-adapters is missing."""

from importlib.util import find_spec


def require(extra: str, *modules: str) -> None:
    """Raise `ModuleNotFoundError`, with the command that helps, unless the modules of this extra are installed."""
    missing = [name for name in modules if not _is_installed(name)]
    if missing:
        raise ModuleNotFoundError(
            f"{', '.join(missing)} is not installed: pip install 'unite-adapters[{extra}]'", name=missing[0]
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package that it is in is missing as well
        return False
