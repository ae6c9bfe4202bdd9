#!/usr/bin/env bash
# Refuses an instance that could not run the service, and makes what a first deployment lacks.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A new instance may be deployed to before its own setup has ended.
waited=0
until [[ -s $settings/role && -s $settings/environment ]]; do
    [[ $waited -lt ${UNITE_WAIT_SECONDS:-180} ]] || fail "$settings/role or $settings/environment is missing."
    sleep 1
    waited=$((waited + 1))
done
services >/dev/null
"$python" -m pip --version >/dev/null || fail "$python or its pip is missing."

id unite >/dev/null 2>&1 ||
    useradd --system --home-dir /var/lib/unite --no-create-home --shell /usr/sbin/nologin unite
install -d -m 755 "$home" "$home/releases"

free=$(df --output=avail --block-size=1M "$home" | tail -n 1)
[[ $free -ge 500 ]] || fail "$home has ${free} MB left; a release needs 500 MB while it is installed."

# What an earlier revision had and this one has not would stay.
rm -rf "$home/incoming"
