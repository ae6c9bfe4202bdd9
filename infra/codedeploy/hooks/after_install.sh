#!/usr/bin/env bash
# Makes a release of what was copied: the code, and an environment with the locked packages, from the revision's own
# wheels. Nothing that runs is touched.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

release=$(incoming_release)
target=$home/releases/$release

if [[ -e $target/.complete ]]; then
    echo "Release $release is there already."
    exit 0
fi
rm -rf "$target"
install -d -m 755 "$target"
cp -R "$home/incoming/application/." "$home/incoming/systemd" "$target/"
"$python" -m venv --without-pip "$target/venv"
"$python" -m pip --python "$target/venv/bin/python" --disable-pip-version-check install --quiet --no-input \
    --no-compile --no-index --find-links "$home/incoming/wheels" --require-hashes -r "$target/requirements/service.txt"
"$target/venv/bin/python" -m compileall -q -j 0 "$target"
# It belongs to root and is readable: the service can change nothing of itself.
chmod -R u=rwX,go=rX "$target"
touch "$target/.complete"
echo "Release $release is installed."
