"""Measure the size of the image and the start time of its container, compared with `python -c pass`.

Usage: python -m perf.image_start [RUNS]
"""

import statistics
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from perf import results
from perf.service import free_port

IMAGE = "unite-measured"
START_TIMEOUT = 60


def main() -> None:
    """Build, measure and record."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    docker("build", "--quiet", "--tag", IMAGE, str(Path(__file__).parent.parent))
    size, base = (int(docker("image", "inspect", "--format", "{{.Size}}", name)) for name in (IMAGE, base_image()))
    bare: list[float] = []
    live: list[float] = []
    ready: list[float] = []
    for _ in range(runs):
        # In turns, so that other load of the machine affects all of them.
        began = time.perf_counter()
        docker("run", "--rm", "--entrypoint", "python", IMAGE, "-c", "pass")
        bare.append(time.perf_counter() - began)
        for path, times in (("/health/live", live), ("/health/ready", ready)):
            times.append(until_answered(path))
    docker("image", "rm", IMAGE)
    results.record(
        "image_start",
        "python -m perf.image_start",
        {
            "image, bytes": size,
            "of which its base image, bytes": base,
            "runs": runs,
            "python -c pass in a container, median s": seconds(bare),
            "docker run to the first 200 of /health/live, median s": seconds(live),
            "docker run to the first 200 of /health/live, longest s": round(max(live), 2),
            "docker run to the first 200 of /health/ready, median s": seconds(ready),
            "docker run to the first 200 of /health/ready, longest s": round(max(ready), 2),
            "ratio of medians, ready to python -c pass": round(statistics.median(ready) / statistics.median(bare), 1),
        },
    )


def until_answered(path: str) -> float:
    """Return the seconds from `docker run`, with an empty embedded default, until the path answers with 200."""
    port = free_port()
    began = time.perf_counter()
    container = docker("run", "--detach", "--rm", "--publish", f"127.0.0.1:{port}:8000", IMAGE)
    try:
        while not responds(port, path):
            if time.perf_counter() - began > START_TIMEOUT:
                sys.exit(f"{path} did not answer within {START_TIMEOUT} seconds.")
            time.sleep(0.01)
        return time.perf_counter() - began
    finally:
        docker("kill", container)


def responds(port: int, path: str) -> bool:
    """Return whether a GET request gets a 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):  # nothing listens yet, or only Docker's proxy does
        return False
    finally:
        connection.close()


def base_image() -> str:
    """Return the name of the base image from the Dockerfile."""
    dockerfile = (Path(__file__).parent.parent / "Dockerfile").read_text("utf-8")
    return dockerfile.partition("ARG PYTHON_IMAGE=")[2].splitlines()[0]


def docker(*arguments: str) -> str:
    """Run a Docker command and return its output; exit if it fails."""
    result = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"docker {' '.join(arguments)} failed: {result.stderr}")
    return result.stdout.strip()


def seconds(times: list[float]) -> float:
    """Return the median, rounded to hundredths."""
    return round(statistics.median(times), 2)


if __name__ == "__main__":
    main()
