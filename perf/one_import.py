"""Import one file into a new folder in this process; print its counts, time and peak memory as JSON.

Usage: python -m perf.one_import FOLDER FILE
"""

import json
import os
import resource
import sys
import time
from dataclasses import asdict
from pathlib import Path

from entrypoints.bootstrap import load_settings, start
from unite_core import Actor, ImportOptions, NewUser, Role
from unite_core.imports.use_cases import FileToImport


def main() -> None:
    """Import the file; the measured time includes its examination, but not its upload."""
    folder, file = Path(sys.argv[1]), Path(sys.argv[2])
    settings = load_settings(os.environ | {"UNITE_DATA_DIR": str(folder)})
    with start(settings) as started:
        unite = started.unite
        user = unite.identity.create_user.unchecked(
            NewUser(email="owner@example.com", name="Owner", role=Role.ADMIN, password="not a secret at all")
        )
        owner = Actor(user_id=user.id, role=Role.ADMIN)
        with file.open("rb") as stream:
            stored = unite.imports.store_file(owner, stream)
        options = ImportOptions(default_country="US")
        queued = unite.imports.import_stored_file(
            owner, FileToImport(stored=stored, filename=file.name, options=options)
        )
        since = time.perf_counter()
        unite.imports.continue_import(queued.id, holder="measuring")
        seconds = time.perf_counter() - since
        ended = unite.imports.get(owner, queued.id)
    counts = asdict(ended.counts) | {"rows": ended.counts.rows}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"status": ended.status, "counts": counts, "seconds": seconds, "peak_kib": peak}))


if __name__ == "__main__":
    main()
