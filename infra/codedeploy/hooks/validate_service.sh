#!/usr/bin/env bash
# Waits until the new release is ready. Where it is not, the one before is started again at once, and the hook fails, so
# that CodeDeploy goes to no other instance and rolls back.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

patience=${UNITE_READY_SECONDS:-120}
steady=${UNITE_STEADY_SECONDS:-10}
release=$(incoming_release)
list=$(services)

# `degraded` is ready: without Redis, S3 or Twilio a release is as good as the one before it.
answers() {
    local port
    port=$(sed -n 's/^UNITE_PORT=//p' "$settings/environment" | tail -n 1)
    curl --fail --silent --output /dev/null --max-time 5 "http://127.0.0.1:${port:-8000}/health/ready"
}

# Active all the time, and not because systemd starts it again and again.
stays() {
    local before second
    before=$(systemctl show --property NRestarts --value "$1")
    for ((second = 0; second < steady; second++)); do
        systemctl is-active --quiet "$1" || return 1
        sleep 1
    done
    systemctl is-active --quiet "$1" && [[ $(systemctl show --property NRestarts --value "$1") == "$before" ]]
}

ready() {
    local unit until=$((SECONDS + patience))
    if grep -qx unite-api.service <<<"$list"; then
        until answers; do
            [[ $SECONDS -lt $until ]] || return 1
            sleep 1
        done
    fi
    for unit in $list; do
        stays "$unit" || return 1
    done
}

if ! ready; then
    echo "Release $release is not ready. The last lines of its log:" >&2
    for unit in $list; do
        journalctl --unit "$unit" --lines 50 --no-pager >&2 || true
    done
    # Where the agent of CloudWatch reads the log from a file, the journal has nothing of it.
    tail -n 50 "$root"/var/log/unite/*.log >&2 2>/dev/null || true
    previous=$(linked previous)
    if [[ -n $previous && $previous != "$release" ]]; then
        activate "$previous"
        ready || fail "Release $previous was started again, and is not ready either."
        fail "Release $previous runs again."
    fi
    for unit in $list; do
        systemctl stop "$unit" || true
    done
    fail "There is no release to go back to; the services are stopped."
fi

echo "Release $release is ready."
# The one that runs, the one before and one more stay.
keep=$(linked current)/$(linked previous)
find "$home/releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' | sort -rn | cut -d ' ' -f 2- | tail -n +4 |
    while read -r old; do
        [[ /$keep/ == */$old/* ]] || rm -rf "${home:?}/releases/$old"
    done
