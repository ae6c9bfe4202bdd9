"""The version of Unite."""

VERSION = "0.1.0"
"""The same version as in setup.cfg; a test compares them."""
