#!/bin/sh
# Makes the secrets of the compose stack where they are missing, each of them random: make-secrets.sh [FOLDER]
#
# The folder is the one in UNITE_SECRETS, of the environment or of .env, or else ./secrets; `--folder` prints its name. It
# is closed to everybody else on this machine. The files in it are readable, because Compose mounts each of them as it is,
# and who reads it in a container is not who made it here.
#
# What is there is left as it is: a password that was changed here alone would not be the servers' password any more.
set -eu

folder=${UNITE_SECRETS:-$(sed -n 's/^UNITE_SECRETS=//p' .env 2>/dev/null | tail -n 1)}
folder=${folder:-secrets}
if [ "${1:-}" = --folder ]; then
    printf '%s\n' "$folder"
    exit
fi
folder=${1:-$folder}
umask 077
mkdir -p "$folder"
chmod 700 "$folder"

random() { od -An -N 24 -t x1 /dev/urandom | tr -d ' \n'; }

# keep NAME VALUE: the file and its one line, unless it is there. Written aside first: half a secret is none.
keep() {
    [ -e "$folder/$1" ] && return
    printf '%s\n' "$2" >"$folder/.$1"
    chmod 644 "$folder/.$1"
    mv "$folder/.$1" "$folder/$1"
}

kept() { cat "$folder/$1"; }

keep admin_password "$(random)"
keep jwt_keys "$(date -u +%Y-%m-%d):$(random)$(random)"

keep mysql_root_password "$(random)"
keep mysql_migrator_password "$(random)"
keep mysql_service_password "$(random)"
keep mysql_migrator_url "mysql://migrator:$(kept mysql_migrator_password)@mysql/unite"
keep mysql_service_url "mysql://service:$(kept mysql_service_password)@mysql/unite"

keep mongo_password "$(random)"
keep mongo_url "mongodb://unite:$(kept mongo_password)@mongo/unite?authSource=admin"
keep mongo_service_url "mongodb://service:$(random)@mongo/unite?authSource=unite"

# `service` may work with the keys that Unite and RQ use, and with nothing else: no settings, no other keys, nothing that
# empties or lists them all, no messages. `health` may ask whether Redis lives.
keep redis_service_url "redis://service:$(random)@redis:6379/0"
keep redis_users "user default off
user health on nopass resetkeys resetchannels -@all +ping
user service on >$(kept redis_service_url | sed 's/.*service:\(.*\)@.*/\1/') resetkeys ~rq:* ~unite:* resetchannels -@all +@read +@write +@transaction -@dangerous -scan -randomkey -dbsize +auth +hello +ping +select +info +client|info +client|setname +evalsha +script|load"

# moto takes any; with a real account this is what its programs read as ~/.aws/credentials.
keep aws_credentials "[default]
aws_access_key_id = $(random)
aws_secret_access_key = $(random)"

# What stands in for Twilio knows this one; with a real account it is the account's own.
keep twilio_auth_token "$(random)"

# So that `docker compose` finds them without being told, and says what to do where nobody made them yet.
if [ "$folder" = secrets ] && ! grep -qs '^UNITE_SECRETS=' .env; then
    echo 'UNITE_SECRETS=./secrets' >>.env
fi
