"""Run one target by atheris for some seconds: python -m tests.fuzz.by_coverage TARGET SECONDS FINDINGS CORPUS.

Atheris wraps libFuzzer: it keeps the inputs that reach new code in the folder CORPUS, and changes them further.
"""

import logging
import sys
import tempfile
from pathlib import Path

import atheris

from tests.fuzz.findings import Findings

_INSTRUMENTED = [
    *("unite_core", "entrypoints", "adapters"),
    *("email_validator", "idna", "jwt", "marshmallow", "multipart", "phonenumbers", "werkzeug"),
]

with atheris.instrument_imports(include=_INSTRUMENTED):  # type: ignore[attr-defined]  # its stubs lack it
    from tests.fuzz.targets import TARGETS

_UNRESPONSIVE_SECONDS = 60
_MAX_MEGABYTES = 4096


def run(name: str, seconds: int, folder: Path, corpus: Path) -> None:
    """Fuzz until the time is over, then end the process."""
    target = TARGETS[name]
    findings = Findings(target, folder)
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        seeds, dictionary = Path(temporary, "seeds"), Path(temporary, "dictionary")
        seeds.mkdir()
        for number, data in enumerate(target.corpus()):
            (seeds / str(number)).write_bytes(data[: target.max_length])
        dictionary.write_text("".join(f'"{_escaped(token)}"\n' for token in target.tokens), "ascii")
        # Without logging, because the service logs each of thousands of requests a second.
        logging.disable()
        options = [
            f"-max_total_time={seconds}",
            f"-max_len={target.max_length}",
            f"-dict={dictionary}",
            f"-timeout={_UNRESPONSIVE_SECONDS}",
            f"-rss_limit_mb={_MAX_MEGABYTES}",
            f"-artifact_prefix={folder}/",
            "-print_final_stats=1",
            "-verbosity=1",
        ]
        folder.mkdir(parents=True, exist_ok=True)
        atheris.Setup([sys.argv[0], *options, str(corpus), str(seeds)], findings.check)
        atheris.Fuzz()


def _escaped(token: bytes) -> str:
    """Return a token in the format of libFuzzer's dictionaries."""
    return "".join(f"\\x{byte:02x}" for byte in token)


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
