"""Write the list of public names: python -m tests.public_api."""

from tests.public_api.files import CURRENT
from tests.public_api.listing import public_names

CURRENT.write_text("\n".join(public_names()) + "\n", "utf-8")
print(CURRENT)
