#!/usr/bin/env bash
# Brings a version to this Droplet, and goes back to the one before where it is not healthy: unite-deploy VERSION
#
# The database is migrated first, while the version before answers; then one API after the other is replaced, so that
# one of them always answers. Safe to run again. A first deployment has nothing to go back to.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

settings=${UNITE_SETTINGS:-/etc/unite/settings}
secrets=${UNITE_SECRETS:-/etc/unite/secrets}
running=${UNITE_RUNNING:-/etc/unite/version}

fail() {
    echo "$*" >&2
    exit 1
}

version=${1:-}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "Usage: unite-deploy VERSION, such as 1.2.3"
[[ -s $settings ]] || fail "$settings is missing."
! grep -n CHANGE_ME "$settings" >&2 || fail "$settings still has the lines above to be filled in."

for name in admin_password jwt_keys mongo_migrator_url mongo_service_url mysql_ca mysql_migrator_url \
    mysql_service_url redis_url spaces_credentials; do
    [[ -s $secrets/$name ]] || fail "$secrets/$name is missing or empty; docs/how-to/deploy-on-digitalocean.md says what it holds."
    # Containers read them as the user of the image.
    chown 10001:10001 "$secrets/$name"
    chmod 400 "$secrets/$name"
done
export UNITE_SECRETS=$secrets
CADDYFILE_SUM=$(sha256sum <"$here/Caddyfile" | cut -c 1-16)
export CADDYFILE_SUM

# compose VERSION COMMAND...
compose() {
    local which=$1
    shift
    UNITE_VERSION=$which docker compose --env-file "$settings" --file "$here/docker-compose.yml" "$@"
}

# replace VERSION SERVICE: and wait until it is healthy.
replace() {
    compose "$1" up --detach --no-deps --wait --wait-timeout 180 "$2"
}

before=$(cat "$running" 2>/dev/null || true)

compose "$version" pull --quiet
echo "Migrating the database"
compose "$version" run --rm migrate

for service in api-one api-two worker; do
    echo "Replacing $service"
    replace "$version" "$service" && continue
    compose "$version" logs --tail 50 "$service" >&2 || true
    [[ -n $before ]] || fail "$service is not healthy with $version, and there is no version before it."
    echo "$service is not healthy with $version; going back to $before." >&2
    for back in api-one api-two worker; do
        replace "$before" "$back" || fail "$back is not healthy with $before either."
    done
    fail "Version $before runs again."
done
compose "$version" up --detach --no-deps caddy
echo "$version" >"$running"
echo "Version $version runs; before it: ${before:-none}."
