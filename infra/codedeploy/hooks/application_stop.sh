#!/usr/bin/env bash
# Stops the services, after the load balancer has stopped sending requests. CodeDeploy runs this from the revision that
# was deployed before: a version of it that fails would stop every deployment from then on, so it never does.
for unit in unite-api.service unite-worker.service; do
    systemctl stop "$unit" || echo "$unit was not stopped; the next step restarts it." >&2
done
exit 0
