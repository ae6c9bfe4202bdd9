#!/usr/bin/env bash
# Builds both wheels twice, in two folders, time zones and orders of sets, and refuses a difference: wheel.sh [FOLDER]
#
# FOLDER (./dist) then holds the wheels and SHA256SUMS. The moment of the build is that of the commit and the modes of
# the files are fixed, so that whoever builds the same commit gets the same bytes. A release has the addresses of the
# project in its metadata too: UNITE_REPOSITORY_URL=https://github.com/OWNER/REPOSITORY.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

target=${1:-dist}
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

make --silent .venv/stamps/test
for round in 1 2; do
    mkdir "$work/source-$round"
    git archive HEAD | tar -x -C "$work/source-$round"
    for name in unite_core unite_adapters; do
        PYTHONPATH="$work/source-$round" .venv/bin/python -P -m infra.release.stage $name "$work/$name-$round"
        if ! TZ="UTC-$round" PYTHONHASHSEED="$round" .venv/bin/python -m build --wheel --no-isolation \
            --outdir "$work/$round" "$work/$name-$round" >"$work/log" 2>&1; then
            cat "$work/log" >&2
            exit 1
        fi
    done
    (cd "$work/$round" && sha256sum ./*.whl) >"$work/sums-$round"
done

if ! cmp -s "$work/sums-1" "$work/sums-2"; then
    echo "The same commit was built twice, and the wheels differ:" >&2
    cat "$work/sums-1" "$work/sums-2" >&2
    exit 1
fi
mkdir -p "$target"
cp "$work"/1/*.whl "$target/"
cp "$work/sums-1" "$target/SHA256SUMS"
cat "$target/SHA256SUMS"
