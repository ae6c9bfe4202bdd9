"""Draw demo.svg: the output of `make demo` at a terminal. This runs the demonstration, which takes some seconds."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
PICTURE = HERE / "demo.svg"
WIDTH = 100
BAR = "\N{BOX DRAWINGS HEAVY HORIZONTAL}"


def _as_left(lines: Iterable[Text]) -> list[Text]:
    """Return the lines that remain at a terminal: a bar overwrites the previous one."""
    left: list[Text] = []
    for line in lines:
        drawn_over = BAR in line.plain and left and BAR in left[-1].plain
        if drawn_over and left[-1].plain.split()[0] == line.plain.split()[0]:
            left.pop()
        left.append(line)
    return left


def main() -> None:
    """Run the demonstration in colour and draw what it printed."""
    shown = subprocess.run(
        [sys.executable, "-m", "entrypoints", "demo"],
        cwd=CHECKOUT,
        env=os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(WIDTH)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere)
        console.print(Text("$ make demo", style="bold"))
        console.print(Text("\n").join(_as_left(Text.from_ansi(shown.rstrip()).split("\n"))))
        drawn = console.export_svg(title="make demo")
    # The fonts that the drawing names are looked for on the reader's machine, not fetched from elsewhere.
    lines = drawn.splitlines(keepends=True)
    PICTURE.write_text("".join(line for line in lines if "url(" not in line or "clip-path" in line), "utf-8")
    print(PICTURE.relative_to(CHECKOUT))


if __name__ == "__main__":
    main()
