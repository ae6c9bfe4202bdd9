#!/bin/sh
# Runs the proxy, or has the one that runs take its configuration anew, without a connection lost: proxy.sh run|reload
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

case ${1:-} in
    run) exec caddy run --config "$here/Caddyfile" --adapter caddyfile ;;
    reload) exec caddy reload --config "$here/Caddyfile" --adapter caddyfile --address unix//run/caddy/admin.sock ;;
    *) echo "Usage: proxy.sh run|reload" >&2 && exit 2 ;;
esac
