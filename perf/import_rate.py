"""Measure the import into SQLite and its peak memory, compared with plain `executemany` of its accepted rows.

Usage: python -m perf.import_rate [ROWS]
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from perf import lead_files, results

FEW = 100_000


def main() -> None:
    """Measure and record."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        few = _import(Path(folder) / "few", FEW)
        many = _import(Path(folder) / "many", rows)
        plain = _child("perf.plain_insert", str(Path(folder) / "many"), str(Path(folder) / "plain"))
        bare = _child("perf.plain_insert", str(Path(folder) / "many"), str(Path(folder) / "bare"), "--without-words")
    accepted = many["counts"]["created"]
    import_rate = many["counts"]["rows"] / many["seconds"]
    plain_rate = plain["rows"] / plain["seconds"]
    bare_rate = bare["rows"] / bare["seconds"]
    results.record(
        "import_rate",
        "python -m perf.import_rate",
        {
            "file": f"{rows} rows, 5 % wrong, 5 % repeated",
            "counts": many["counts"],
            "import, rows per second": round(import_rate),
            "import, accepted rows per second": round(accepted / many["seconds"]),
            "plain executemany, rows per second": round(plain_rate),
            "import rate / plain rate": round(import_rate / plain_rate, 3),
            "accepted import rate / plain rate": round(accepted / many["seconds"] / plain_rate, 3),
            "plain executemany without the index of words, rows per second": round(bare_rate),
            "import rate / plain rate without the index of words": round(import_rate / bare_rate, 3),
            "accepted import rate / plain rate without the index of words": round(
                accepted / many["seconds"] / bare_rate, 3
            ),
            f"peak memory with {rows} rows, MB": round(many["peak_kib"] / 1024, 1),
            f"peak memory with {FEW} rows, MB": round(few["peak_kib"] / 1024, 1),
            "ratio of peak memories": round(many["peak_kib"] / few["peak_kib"], 3),
        },
    )


def _import(folder: Path, rows: int) -> dict[str, Any]:
    folder.mkdir()
    file = folder / "leads.csv"
    lead_files.write(rows, file)
    return _child("perf.one_import", str(folder), str(file))


def _child(module: str, *arguments: str) -> dict[str, Any]:
    """Run a module in a process of its own, to measure its peak memory; return the JSON that it prints last."""
    result = subprocess.run([sys.executable, "-m", module, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    answer: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return answer


if __name__ == "__main__":
    main()
