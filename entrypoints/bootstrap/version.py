"""The version of Unite."""

from unite_core import __version__

VERSION = __version__
"""The version of the library, which the service has too."""
