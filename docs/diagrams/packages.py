"""Draw packages.svg: the packages of the code and the imports between them.

The layers of the core come from the import contract in setup.cfg, entrypoints and adapters from the folders.
`make diagrams` writes the picture; a test fails if it is out of date.
"""

from configparser import ConfigParser
from html import escape
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
PICTURE = HERE / "packages.svg"

# The purpose of a package in a few words; a name without an entry is drawn without a caption.
CAPTIONS = {
    "application": "Ports, Unite, build(ports): the whole core, put together",
    "imports": "reading CSV files, mapping columns, the result of each row",
    "reports": "figures of a period: counts, rates, rollups",
    "calls": "call tasks, their completions, the call ledger",
    "leads": "leads, who may see them, duplicates, pictures, search",
    "summaries": "the daily summary: who gets it, and at which local time",
    "notifications": "deliveries of events: the outbox, its relay, dead letters",
    "identity": "users, roles and permissions, logins and their tokens",
    "testing": "in-memory ports, builders, contract suites",
    "http": "REST, OpenAPI, problem details",
    "worker": "runs jobs, sweeps",
    "cli": "serve, migrate, users, import, verify-ledger, rebuild-reports, demo",
    "bootstrap": "Settings → Unite",
    "settings": "reads the environment",
    "sql": "SQLAlchemy: tables, migrations, units of work",
    "mongo": "MongoEngine: the activity log",
    "redis": "the cache and the rate limits of several processes",
    "rq": "jobs in queues, and the schedule",
    "local": "files on disk, in-process jobs",
    "twilio": "text messages, and verified webhooks",
}
ENTRYPOINTS = ("http", "worker", "cli")
CORE_PACKAGES = ("testing", "application", "imports", "calls", "leads", "summaries", "notifications", "identity")

WIDTH = 1000
STYLE = """
  text { font-family: Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; fill: #1f2933; }
  .title { font-size: 19px; font-weight: 700; }
  .aside { font-size: 13px; fill: #52606d; }
  .name { font-size: 15px; font-weight: 600; }
  .small { font-size: 12px; fill: #52606d; }
  .band { stroke-width: 1.5; }
  .box { fill: #ffffff; stroke-width: 1.2; }
  .outer { fill: #fff4e6; stroke: #e8a33d; } .outer-box { stroke: #e8a33d; }
  .middle { fill: #eaf4fb; stroke: #4a90c2; } .middle-box { stroke: #4a90c2; }
  .inner { fill: #ebf7ee; stroke: #4f9d69; } .inner-box { stroke: #4f9d69; }
  .arrow { stroke: #3e4c59; stroke-width: 1.6; fill: none; marker-end: url(#tip); }
"""


def modules(package: str) -> list[str]:
    """Return the names of a package's own modules and packages, in alphabetical order."""
    folder = CHECKOUT / package
    files = {path.stem for path in folder.glob("*.py")}
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    return sorted(name for name in files | packages if not name.startswith("_"))


def layers() -> list[list[str]]:
    """Return the layers of the core from the top down, as the import contract names them."""
    config = ConfigParser(interpolation=None)
    config.read(CHECKOUT / "setup.cfg", "utf-8")
    lines = config["importlinter:contract:core-layers"]["layers"].split("\n")
    return [[name.strip() for name in line.split("|")] for line in lines if line.strip()]


def text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def band(x: float, y: float, width: float, height: float, kind: str, title: str, aside: str) -> str:
    """Return a coloured area with a heading."""
    return "\n".join(
        [
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="12" class="band {kind}"/>',
            text(x + 20, y + 30, title, "title"),
            text(x + 32 + 10.6 * len(title), y + 30, aside, "aside"),
        ]
    )


def box(x: float, y: float, width: float, height: float, kind: str, name: str, caption: str = "") -> str:
    """Return the box of a package, with its caption broken into lines that fit."""
    lines = wrap(caption, int(width / 6.6))
    first = y + height / 2 + 5 - 8 * len(lines)
    parts = [
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="7" class="box {kind}-box"/>',
        text(x + width / 2, first, name, "name", "middle"),
    ]
    parts += [text(x + width / 2, first + 17 + 15 * n, line, "small", "middle") for n, line in enumerate(lines)]
    return "\n".join(parts)


def wrap(words: str, width: int) -> list[str]:
    """Break the words into lines of up to `width` characters."""
    lines: list[str] = []
    for word in words.split():
        if lines and len(lines[-1]) + len(word) < width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M {x1:g} {y1:g} L {x2:g} {y2:g}" class="arrow"/>'


def entrypoints(y: float) -> tuple[list[str], float]:
    """Return the entrypoints and the wiring, and the position where the area ends."""
    there = modules("entrypoints")
    own = [name for name in ENTRYPOINTS if name in there]
    wiring = [name for name in there if name not in ENTRYPOINTS]
    parts = [band(20, y, 960, 134, "outer", "entrypoints", "which do not import each other, and the wiring")]
    parts += [box(40 + 176 * n, y + 48, 164, 66, "outer", name, CAPTIONS.get(name, "")) for n, name in enumerate(own)]
    captioned = [name for name in wiring if name in CAPTIONS]
    small = [name for name in wiring if name not in CAPTIONS]
    width = (380 - 12 * (len(captioned) - 1)) / max(len(captioned), 1)
    parts += [
        box(580 + (width + 12) * n, y + 40, width, 44, "outer", name, CAPTIONS[name])
        for n, name in enumerate(captioned)
    ]
    # Single modules are too many for boxes.
    lines = wrap(" · ".join(small), 58)
    parts += [text(580 + 190, y + 102 + 15 * n, line, "small", "middle") for n, line in enumerate(lines)]
    return parts, y + 134


def adapters(y: float) -> tuple[list[str], float]:
    """Return the adapters, and the position where the area ends."""
    there = modules("adapters")
    wide = [name for name in there if name in CAPTIONS]
    narrow = [name for name in there if name not in CAPTIONS]
    rows = -(-len(narrow) // 5)
    height = 48 + 66 * bool(wide) + 46 * rows + 18
    aside = "one technology each; outbound is the only module that they share"
    parts = [band(300, y, 680, height, "middle", "adapters", aside)]
    width = (640 - 12 * (len(wide) - 1)) / max(len(wide), 1)
    parts += [
        box(320 + (width + 12) * n, y + 46, width, 56, "middle", name, CAPTIONS[name]) for n, name in enumerate(wide)
    ]
    top = y + 46 + 66 * bool(wide)
    parts += [
        box(320 + 130.4 * (n % 5), top + 46 * (n // 5), 118.4, 36, "middle", name) for n, name in enumerate(narrow)
    ]
    return parts, y + height


def core(y: float) -> tuple[list[str], float]:
    """Return the core, layer by layer, and the position where the area ends."""
    named = [name for layer in layers() for name in layer]
    packages = [name for name in named if name in CORE_PACKAGES and name != "testing"]
    kernel = sorted(name for name in named if name not in CORE_PACKAGES)
    height = 48 + 64 * len(packages) + 82
    parts = [
        band(20, y, 960, height, "inner", "unite_core", "the domain: no framework, no driver, no socket, file or clock")
    ]
    tall = 64 * len(packages) - 16
    parts.append(box(790, y + 48, 170, tall, "inner", "testing", CAPTIONS["testing"]))
    for n, name in enumerate(packages):
        top = y + 48 + 64 * n
        parts.append(box(40, top, 700, 48, "inner", name, CAPTIONS.get(name, "")))
        parts.append(arrow(390, top + 48, 390, top + 62))
        parts.append(arrow(790, top + 24, 742, top + 24))
    parts.append(box(40, y + 48 + 64 * len(packages), 920, 64, "inner", "kernel", " · ".join(kernel)))
    return parts, y + height


def draw() -> str:
    """Return the whole picture as SVG."""
    above, y1 = entrypoints(20)
    between, y2 = adapters(y1 + 56)
    below, y3 = core(y2 + 56)
    arrows = [
        arrow(150, y1, 150, y2 + 54),
        text(162, y1 + 60, "call use cases", "aside"),
        arrow(660, y1, 660, y1 + 54),
        text(672, y1 + 33, "bootstrap alone chooses and builds them", "aside"),
        arrow(660, y2, 660, y2 + 54),
        text(672, y2 + 33, "implement its ports", "aside"),
    ]
    height = y3 + 20
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img">',
            "<title>Entrypoints import adapters and the core; adapters import the core</title>",
            f"<style>{STYLE}</style>",
            "<defs>",
            '<marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">',
            '<path d="M 0 0 L 10 5 L 0 10 z" fill="#3e4c59"/>',
            "</marker>",
            "</defs>",
            f'<rect width="{WIDTH}" height="{height:g}" fill="#ffffff"/>',
            *above,
            *between,
            *below,
            *arrows,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), "utf-8")
    print(PICTURE.relative_to(CHECKOUT))
