"""Regenerate docs/openapi.json and the Postman collection; run by `make openapi`."""

from tests.api_description.files import contents
from tests.conftest import CHECKOUT

for path, content in contents().items():
    path.write_text(content, "utf-8")
    print(path.relative_to(CHECKOUT))
