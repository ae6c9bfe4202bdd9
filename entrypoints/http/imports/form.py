"""Read a file to import and its options from a multipart form."""

from collections.abc import Callable
from typing import IO, BinaryIO

from entrypoints.http.framework.multipart import Part, parts_of
from entrypoints.http.framework.request_body import MAX_BODY_BYTES
from entrypoints.http.imports.request_schemas import options_from
from unite_core.errors import FieldError, Invalid, TooLarge
from unite_core.identity.model import Actor
from unite_core.imports.model import MAX_FILE_BYTES, ImportOptions
from unite_core.imports.use_cases import FileToImport, StoredFile

FORM_TYPE = "multipart/form-data"
MAX_FORM_BYTES = MAX_FILE_BYTES + 2 * MAX_BODY_BYTES
"""The largest file, the largest options, and the headers and boundaries around them."""


class ImportForm:
    """A form that is read part by part, in any order; `store` stores the file while it is read.

    `stored` is the file as soon as it has arrived, even if a later part of the form is invalid.
    """

    def __init__(self, store: Callable[[Actor, BinaryIO], StoredFile], actor: Actor) -> None:
        self.stored: StoredFile | None = None
        self._store = store
        self._actor = actor
        self._filename = ""
        self._options: ImportOptions | None = None

    def read(self, body: IO[bytes], boundary: str) -> FileToImport:
        """Return the stored file and its options.

        Raises `Invalid` if the form breaks a rule, and the errors of `parts_of` and `store`.
        """
        for part in parts_of(body, boundary):
            if part.name == "file":
                self._take_file(part)
            elif part.name == "options":
                self._take_options(part)
            else:
                raise _invalid(part.name, "unknown_field", "There is no such field; a form has `file` and `options`.")
        if self.stored is None:
            raise _invalid("file", "required", "This is required.")
        return FileToImport(stored=self.stored, filename=self._filename, options=self._options or ImportOptions())

    def _take_file(self, part: Part) -> None:
        if self.stored is not None:
            raise _invalid("file", "repeated", "Send one file in a request.")
        if not part.filename:
            raise _invalid("file", "no_filename", "The file needs a filename.")
        # Some clients send the folder as well, which is ignored (RFC 7578, 4.2).
        self._filename = part.filename[max(map(part.filename.rfind, "/\\")) + 1 :]
        self.stored = self._store(self._actor, part.stream)

    def _take_options(self, part: Part) -> None:
        if self._options is not None:
            raise _invalid("options", "repeated", "Give the options once.")
        text = part.stream.read(MAX_BODY_BYTES + 1)
        if len(text) > MAX_BODY_BYTES:
            raise TooLarge(f"The options are larger than {MAX_BODY_BYTES} bytes (1 MiB).")
        self._options = options_from(text)


def _invalid(field: str, code: str, detail: str) -> Invalid:
    return Invalid("The form breaks a rule.", problems=[FieldError(field=field, code=code, detail=detail)])
