"""Storage of measured figures in `perf/results`, with the command that measured them."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


def record(name: str, command: str, figures: dict[str, Any]) -> None:
    """Print the figures and write them to `perf/results/NAME.json`."""
    result = {
        "command": command,
        "measured_on": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}",
        "figures": figures,
    }
    text = json.dumps(result, indent=2)
    print(text)
    (FOLDER / f"{name}.json").write_text(text + "\n")
