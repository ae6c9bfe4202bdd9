# What the hooks of a deployment share. Each of them is safe to run twice.
#
#   /etc/unite/role         api, worker or both: which services this instance runs
#   /etc/unite/environment  their settings; secrets are in AWS Secrets Manager (UNITE_SECRETS_ARN)
#   /srv/unite/incoming     the revision as CodeDeploy copied it
#   /srv/unite/releases     a folder for each release, with an environment of its own
#   /srv/unite/current      the release that runs, a link; /srv/unite/previous is the one before
#
# shellcheck shell=bash disable=SC2034  # its variables are for the hooks
set -euo pipefail

root=${UNITE_ROOT:-}
home=$root/srv/unite
settings=$root/etc/unite
units=$root/etc/systemd/system
python=${UNITE_PYTHON:-python3.11}

fail() {
    echo "$*" >&2
    exit 1
}

# The services of this instance, a name a line.
services() {
    local role
    role=$(cat "$settings/role")
    case $role in
        api) echo unite-api.service ;;
        worker) echo unite-worker.service ;;
        both) printf '%s\n' unite-api.service unite-worker.service ;;
        *) fail "$settings/role says '$role'; it should be api, worker or both." ;;
    esac
}

# The name of the release that CodeDeploy copied.
incoming_release() {
    local name
    name=$(cat "$home/incoming/RELEASE")
    [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || fail "'$name' is no name of a release."
    echo "$name"
}

# linked current|previous: the name of the release that a link leads to; nothing where it leads nowhere.
linked() {
    if [[ -e $home/$1/.complete ]]; then basename "$(readlink "$home/$1")"; fi
}

# link current|previous RELEASE: in one step, so that there is no moment without the link.
link() {
    ln -sfn "releases/$2" "$home/.$1"
    mv -fT "$home/.$1" "$home/$1"
}

# Run a release, with its own units.
activate() {
    local list unit
    list=$(services)
    install -d "$units"
    install -m 644 "$home/releases/$1"/systemd/*.service "$units/"
    link current "$1"
    systemctl daemon-reload
    for unit in $list; do
        systemctl enable --quiet "$unit"
        # One that failed too often is not started again otherwise.
        systemctl reset-failed "$unit" || true
        systemctl restart "$unit"
    done
}
