#!/usr/bin/env bash
# Starts a pipeline of CodePipeline for a commit and waits for its end: run-pipeline.sh PIPELINE COMMIT
#
# The exit code is that of the deployment: 0 where it succeeded. A pipeline that waits for an approval goes on waiting
# when this script is broken off; it is not stopped.
set -euo pipefail

pipeline=$1
commit=$2
seconds=${UNITE_POLL_SECONDS:-15}

id=$(aws codepipeline start-pipeline-execution --name "$pipeline" \
    --source-revisions "actionName=Source,revisionType=COMMIT_ID,revisionValue=$commit" \
    --query pipelineExecutionId --output text)
echo "Pipeline $pipeline, execution $id, commit $commit"

while :; do
    status=$(aws codepipeline get-pipeline-execution --pipeline-name "$pipeline" --pipeline-execution-id "$id" \
        --query pipelineExecution.status --output text)
    case $status in
        InProgress | Stopping) sleep "$seconds" ;;
        Succeeded)
            echo "Succeeded"
            exit 0
            ;;
        *) # Failed, Stopped, Cancelled, Superseded
            echo "The execution ended as $status." >&2
            exit 1
            ;;
    esac
done
