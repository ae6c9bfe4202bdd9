#!/usr/bin/env bash
# Lists what is installed in an image as a CycloneDX document, and refuses what requirements/service.txt does not lock:
# sbom.sh IMAGE FILE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

image=$1
document=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make --silent .venv-infra/stamps/infra

# The packages of the image, in an environment of this machine, because the list is made by running its interpreter.
python3 -m venv --without-pip "$work/environment"
packages=$(echo "$work"/environment/lib/python3*/site-packages)
container=$(docker create "$image")
docker cp --quiet "$container:/opt/unite/lib/python3.11/site-packages/." "$packages"
docker rm "$container" >/dev/null

.venv-infra/bin/cyclonedx-py environment --output-reproducible --sv 1.6 --of JSON \
    -o "$document" "$work/environment/bin/python"
version=$(docker run --rm --entrypoint python "$image" -c 'import platform; print(platform.python_version())')
.venv-infra/bin/python infra/release/sbom.py "$document" requirements/service.txt "$version"
