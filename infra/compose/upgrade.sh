#!/bin/sh
# Brings the version in this folder into the stack without a failed request, or takes the one before: upgrade.sh [OPTION]
#
#   --pull   the image of UNITE_IMAGE is pulled, not built here
#   --back   the version before, whose image the last upgrade has kept
#
# What is missing is made and the database is migrated while the version before answers. Then one app after the other is
# replaced: a new one has to be healthy before the proxy sends it anything and an old one is stopped. Where it is not, the
# version before stays, or comes back. Safe to run again.
set -eu
cd "$(dirname "$0")/../.."

patience=${UNITE_UPGRADE_PATIENCE:-240} # seconds for one container to be healthy

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}
compose() { docker compose --progress quiet "$@"; }

way=build
case ${1:-} in
    '') ;;
    --pull) way=pull ;;
    --back) way=back ;;
    *) fail "Usage: upgrade.sh [--pull|--back]" ;;
esac

# of_service SERVICE KEY: a value from the configuration as Compose reads it.
of_service() {
    compose config 2>/dev/null | awk -v service="  $1:" -v key="$2:" '
        /^  [^ ]/ { within = $0 == service }
        within && $1 == key { print $2; exit }'
}

# without_tag IMAGE: its name. A colon before the last slash is that of a port.
without_tag() {
    case ${1##*/} in
        *@*) printf '%s' "${1%@*}" | sed 's/:[^:/]*$//' ;;
        *:*) printf '%s' "${1%:*}" ;;
        *) printf '%s' "$1" ;;
    esac
}

image_of() { docker inspect --format '{{.Image}}' "$1"; }
address_of() { docker inspect --format "{{(index .NetworkSettings.Networks \"${project}_edge\").IPAddress}}:8000" "$1"; }
label_of() { docker inspect --format "{{index .Config.Labels \"com.docker.compose.$2\"}}" "$1"; }
count() { printf '%s' "$1" | wc -w | tr -d ' '; }
running() { compose ps --quiet "$1" | tr '\n' ' '; }

# without LIST ID: the list without it.
without() { for id in $1; do [ "$id" = "$2" ] || printf '%s ' "$id"; done; }

# outdated SERVICE IMAGE: its containers that are not what the configuration and the image say.
outdated() {
    hash=$(compose config --hash "$1" | awk '{ print $2 }')
    for id in $(running "$1"); do
        [ "$(image_of "$id")" = "$2" ] && [ "$(label_of "$id" config-hash)" = "$hash" ] || printf '%s ' "$id"
    done
}

# send_to LIST: have the proxy send requests to these apps and no others; to all that there are where the list is empty.
send_to() {
    [ -n "$(running proxy)" ] || return 0
    to=
    for id in $1; do to="$to $(address_of "$id")"; done
    compose exec -T -e UNITE_UPSTREAMS="${to:+to$to}" proxy sh /etc/caddy/proxy.sh reload </dev/null 2>/dev/null ||
        compose exec -T -e UNITE_UPSTREAMS="${to:+to$to}" proxy sh /etc/caddy/proxy.sh reload </dev/null ||
        fail "The proxy does not take its configuration, and the line above says why. Make its container anew" \
            "(docker compose up -d --no-deps --force-recreate proxy), and run this again."
}

# healthy ID: whether the container gets healthy. One that is unhealthy may still become so on a slow machine; one that has
# ended three times does not.
healthy() {
    left=$patience
    while [ "$left" -gt 0 ]; do
        case $(docker inspect --format '{{.State.Health.Status}} {{.RestartCount}}' "$1") in
            'healthy '*) return 0 ;;
            *' '[3-9]*) break ;;
        esac
        sleep 1
        left=$((left - 1))
    done
    docker logs --tail 30 "$1" >&2 2>&1 || true
    return 1
}

# replace OLD: one new app after the other in the place of these, each healthy before one of these is stopped.
replace() {
    left=$1
    answering=$(running app)
    current=$(without_all "$answering" "$left")
    [ -n "$left" ] || return 0
    send_to "$answering"
    for old in $left; do
        if [ "$(count "$current")" -lt "$target" ]; then
            before_it=$(compose ps --all --quiet app | tr '\n' ' ')
            compose up --detach --no-deps --no-recreate --no-build --scale "app=$(($(count "$before_it") + 1))" app || return 1
            new=$(without_all "$(compose ps --all --quiet app | tr '\n' ' ')" "$before_it")
            [ -n "$new" ] || return 1
            for id in $new; do
                healthy "$id" || {
                    # shellcheck disable=SC2086 # ids
                    docker rm --force $new >/dev/null
                    return 1
                }
            done
            current="$current$new"
            answering="$answering$new"
        fi
        answering=$(without "$answering" "$old")
        send_to "$answering"
        sleep 1 # what the proxy has begun to send
        docker stop "$old" >/dev/null
        docker rm "$old" >/dev/null
    done
}

# without_all LIST OTHER: the list without what is in the other.
without_all() {
    rest=$1
    for one in $2; do rest=$(without "$rest" "$one"); done
    printf '%s' "$rest"
}

# go_back WHY: the version before in all places, and an end with exit code 1.
go_back() {
    say "$1 The version before goes on." >&2
    docker tag "$before" "$image"
    new=$(outdated app "$before" | tr '\n' ' ')
    changed=
    for id in $new; do [ "$(image_of "$id")" = "$before" ] || changed="$changed$id "; done
    replace "$changed" || fail "The version before is not healthy either; the lines above say why."
    compose up --detach --no-deps --no-build --wait --wait-timeout "$patience" worker ||
        fail "The worker of the version before is not healthy."
    [ "$way" != pull ] || say "UNITE_IMAGE still names the version that failed: set it back, $previous is the one that runs." >&2
    exit 1
}

say "Making the secrets that are missing"
sh infra/compose/make-secrets.sh

project=$(compose config 2>/dev/null | sed -n 's/^name: //p')
image=$(of_service migrate image)
target=$(of_service app replicas)
[ -n "$image" ] || compose config --quiet
previous=$(without_tag "$image"):previous
apps=$(running app)
before=
for id in $apps; do before=$(image_of "$id"); done

case $way in
    build)
        say "Building $image"
        compose build --quiet migrate proxy
        ;;
    pull)
        say "Pulling $image"
        compose pull --quiet migrate
        compose build --quiet proxy
        ;;
    back)
        docker image inspect "$previous" >/dev/null 2>&1 || fail "$previous is missing: there is no version before."
        docker tag "$previous" "$image"
        ;;
esac
after=$(docker image inspect --format '{{.Id}}' "$image")

if [ -z "$apps" ]; then
    say "No app runs; starting everything"
    exec docker compose up --detach --wait
fi
[ "$before" = "$after" ] || docker tag "$before" "$previous"
# Whatever ends this, the proxy knows every app again.
trap '(send_to "") 2>/dev/null || true' EXIT
trap 'exit 1' HUP INT TERM

others=$(compose config --services | grep -vxE 'migrate|app|worker|proxy|twilio' | tr '\n' ' ')
# shellcheck disable=SC2086 # names of services
[ -z "$others" ] || compose up --detach --no-deps --no-recreate --wait $others

if [ -n "$(running mysql)" ]; then
    folder=$(sh infra/compose/make-secrets.sh --folder)
    # shellcheck disable=SC2016 # the shell in the container reads the password
    { printf "CREATE USER IF NOT EXISTS 'service'@'%%' IDENTIFIED BY '%s';\n" "$(cat "$folder/mysql_service_password")"
      sed -n '/^GRANT/,/;$/p' infra/compose/mysql-accounts.sh; } |
        compose exec -T mysql sh -c 'MYSQL_PWD=$(cat /run/secrets/mysql_root_password) mysql -u root' || {
            say "The rights of the account migrator could not be looked after: MySQL does not take the password of root in" \
                "$folder/mysql_root_password. Where the migration fails for one, give it as root:" >&2
            sed -n '/^GRANT/,/;$/p' infra/compose/mysql-accounts.sh >&2
        }
fi

say "Migrating the database"
compose run --rm --no-deps -T migrate </dev/null || {
    docker tag "$before" "$image"
    fail "The migration failed, and the lines above say why. Nothing was replaced: the version before goes on."
}

old=$(outdated app "$after")
say "Replacing $(count "$old") of $(count "$apps") apps"
replace "$old" || go_back "An app of the new version is not healthy, and the lines above say why."
# As many as UNITE_APPS says, and the proxy where there was none.
compose up --detach --no-deps --no-build --wait --wait-timeout "$patience" app ||
    go_back "An app of the new version is not healthy."
compose up --detach --no-deps --no-build --no-recreate --wait proxy
send_to ""

say "Replacing the workers"
compose up --detach --no-deps --no-build --wait --wait-timeout "$patience" worker || {
    compose logs --tail 30 worker >&2
    go_back "A worker of the new version is not healthy, and the lines above say why."
}
if compose config --services | grep -qx twilio; then compose up --detach --no-deps --no-build twilio; fi

different=
for service in $others proxy; do
    hash=$(compose config --hash "$service" | awk '{ print $2 }')
    for id in $(running "$service"); do
        [ "$(label_of "$id" config-hash)" = "$hash" ] || different="$different $service"
    done
done
[ -z "$different" ] || say "Left as they are, though their definition is another one now:$different." \
    "To replace them, which interrupts the service: docker compose up -d --wait"
if [ "$before" = "$after" ]; then say "It is the version that ran before."; else say "The new version runs; the one before is $previous."; fi
