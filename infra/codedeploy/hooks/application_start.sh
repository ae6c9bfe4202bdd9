#!/usr/bin/env bash
# Switches to the new release and starts it. Migrations are no business of an instance: the pipeline has run them, once.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

release=$(incoming_release)
running=$(linked current)
if [[ -n $running && $running != "$release" ]]; then
    link previous "$running"
fi
activate "$release"
echo "Release $release is started; before it: ${running:-none}."
