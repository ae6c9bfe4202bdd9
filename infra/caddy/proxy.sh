#!/bin/sh
# Runs the proxy, or has the one that runs take its configuration anew, without a connection lost: proxy.sh run|reload
#
# While it runs, it asks every app for a sign of life: Caddy does not ask apps that it finds by name. One that has taken
# the connection and not answered three times in a row hangs: it is sent nothing as long as another one answers.
#
# UNITE_TRUSTED_PROXIES is written with commas for the service, and with spaces for Caddy.
set -eu

UNITE_TRUSTED_PROXIES=$(printf '%s' "${UNITE_TRUSTED_PROXIES:-}" | tr ',' ' ')
export UNITE_TRUSTED_PROXIES
# A name that is set and empty is not replaced by its default.
for name in UNITE_SITES UNITE_UPSTREAMS UNITE_CADDY_ADMIN; do
    eval "[ -n \"\${$name:-}\" ]" || unset "$name"
done
here=$(dirname "$0")

state=/run/caddy
chosen=$state/chosen # is there while somebody else has said where requests go
check_seconds=3
answer_seconds=5
max_silences=3

# reload [VARIABLE=VALUE]
reload() { env "$@" caddy reload --config "$here/Caddyfile" --adapter caddyfile --address "unix/$state/admin.sock"; }

addresses() { { getent ahostsv4 app || getent hosts app || true; } | awk '{ print $1 }' | sort -u; }

# ask ADDRESS: 0 where it answers, 1 where it refuses, as one that starts or stops, and 2 where nothing comes.
ask() {
    code=0
    timeout "$answer_seconds" wget -q -O /dev/null "http://$1:8000/health/live" 2>/dev/null || code=$?
    case $code in
        0) return 0 ;;
        124 | 143) return 2 ;; # ended by timeout, as GNU and as busybox say it
        *) return 1 ;;
    esac
}

# watch: have nothing sent to the apps that hang; to all where none hangs, or none answers. An app that refuses connections
# is no reason: Caddy turns to another one by itself, and finds it by its name when it is back with another address.
watch() {
    unset http_proxy
    sent_to=
    while sleep "$check_seconds"; do
        if [ -e "$chosen" ]; then
            sent_to=
            continue
        fi
        good=''
        bad=''
        for address in $(addresses); do
            code=0
            ask "$address" || code=$?
            if [ "$code" -eq 2 ]; then echo >>"$state/silent.$address"; else rm -f "$state/silent.$address"; fi
            if [ -e "$state/silent.$address" ] && [ "$(wc -l <"$state/silent.$address")" -ge "$max_silences" ]; then
                bad="$bad $address"
            elif [ "$code" -eq 0 ]; then
                good="$good $address:8000"
            fi
        done
        [ -n "$bad" ] && [ -n "$good" ] || good=
        if [ "$good" != "$sent_to" ] && send_to "$good"; then
            sent_to=$good
            echo "${bad:+No answer:$bad. }Requests go to${good:- every app}." >&2
        fi
    done
}

# send_to LIST: unless somebody else has said where requests go in the meantime.
send_to() {
    (
        flock 9
        [ ! -e "$chosen" ] || exit 1
        reload ${1:+"UNITE_UPSTREAMS=to$1"} 2>/dev/null
    ) 9>"$state/lock"
}

case ${1:-} in
    run)
        if [ -z "${UNITE_UPSTREAMS:-}" ] && [ -d "$state" ]; then watch & fi
        exec caddy run --config "$here/Caddyfile" --adapter caddyfile
        ;;
    reload)
        exec 9>"$state/lock"
        flock 9
        if [ -n "${UNITE_UPSTREAMS:-}" ]; then : >"$chosen"; else rm -f "$chosen"; fi
        reload
        ;;
    *) echo "Usage: proxy.sh run|reload" >&2 && exit 2 ;;
esac
