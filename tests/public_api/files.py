"""The paths of the lists of public names."""

from tests.conftest import CHECKOUT

CURRENT = CHECKOUT / "docs" / "public-api.txt"
RELEASED = CHECKOUT / "docs" / "public-api.released.txt"
