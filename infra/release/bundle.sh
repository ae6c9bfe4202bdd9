#!/usr/bin/env bash
# Puts together the revision that CodeDeploy installs: bundle.sh FOLDER RELEASE
#
# It holds the code, every package of requirements/service.txt as a wheel for Amazon Linux, the hooks and the units, so
# that an instance needs nothing from the internet, and installs what was tested.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

target=$1
release=$2
if ! [[ $release =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]]; then
    echo "'$release' is no name of a release: letters, digits, dots, dashes." >&2
    exit 1
fi

rm -rf "$target"
mkdir -p "$target/application/requirements" "$target/wheels"
cp -R infra/codedeploy/appspec.yml infra/codedeploy/migrate.buildspec.yml infra/codedeploy/hooks \
    infra/codedeploy/systemd "$target/"
cp -R unite_core adapters entrypoints sample_leads.csv LICENSE NOTICE "$target/application/"
cp requirements/service.txt "$target/application/requirements/"
rm -rf "$target/application/unite_core/testing"
find "$target" -name __pycache__ -type d -prune -exec rm -rf {} +

"${PYTHON:-python3.11}" -m pip --disable-pip-version-check download --quiet --no-input --progress-bar off \
    --only-binary :all: --implementation cp --python-version 3.11 \
    --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux_2_28_x86_64 \
    --require-hashes --dest "$target/wheels" -r requirements/service.txt

# The certificates that RDS signs with: migrations verify the database by those that the build has fetched.
curl --fail --silent --show-error --retry 5 --output "$target/rds.pem" \
    https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem

echo "$release" >"$target/RELEASE"
echo "$target: release $release, $(find "$target/wheels" -name '*.whl' | wc -l) wheels"
