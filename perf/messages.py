"""Fake message services for measurements: SNS on moto, and a process that stands in for Twilio."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import requests

from perf.service import free_port

STAND_IN = Path(__file__).parents[1] / "infra" / "stand_ins" / "twilio.py"
ACCOUNT = f"AC{'0' * 32}"
TOKEN = "0" * 32
FROM = "+15005550006"
TOPIC = "unite-perf"
START_TIMEOUT = 20.0

_TASK = re.compile(r"/v1/call-tasks/([0-9a-f-]{36})")


@contextmanager
def twilio() -> Iterator[str]:
    """Run the stand-in for Twilio during the block; yield its URL."""
    port = free_port()
    command = [
        sys.executable,
        str(STAND_IN),
        "--port",
        str(port),
        "--account-sid",
        ACCOUNT,
        "--auth-token",
        TOKEN,
        "--step-seconds",
        "1000000",
    ]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + START_TIMEOUT
        while True:
            try:
                requests.get(f"{url}/stand-in/messages", timeout=5)
                break
            except requests.ConnectionError:
                if time.monotonic() > until:
                    sys.exit("The stand-in for Twilio did not start.")
                time.sleep(0.1)
        yield url
    finally:
        child.terminate()
        child.wait(10)


def settings(twilio_url: str) -> dict[str, str]:
    """Return the environment variables that send messages to the stand-in, to moto and to MongoDB."""
    aws = os.environ["UNITE_PERF_AWS_URL"]
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "perf")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "perf")
    topic = boto3.client("sns", endpoint_url=aws).create_topic(Name=TOPIC)["TopicArn"]
    return {
        "UNITE_MONGODB_URL": f"{os.environ['UNITE_PERF_MONGODB_URL'].rstrip('/')}/unite_perf",
        "UNITE_AWS_ENDPOINT_URL": aws,
        "UNITE_SNS_TOPIC_ARN": topic,
        "UNITE_QUOTA_TEXTS_PER_NUMBER": "0",
        "UNITE_TWILIO_ACCOUNT_SID": ACCOUNT,
        "UNITE_TWILIO_AUTH_TOKEN": TOKEN,
        "UNITE_TWILIO_FROM": FROM,
        "UNITE_TWILIO_BASE_URL": twilio_url,
        "UNITE_PUBLIC_URL": "http://127.0.0.1:8000",
    }


def sent(twilio_url: str) -> int:
    """Return the number of messages that were sent."""
    return len(requests.get(f"{twilio_url}/stand-in/messages", timeout=30).json())


def requested(twilio_url: str) -> dict[str, float]:
    """Return task id -> when the first message about it was requested, in seconds since 1970."""
    times: dict[str, float] = {}
    for message in requests.get(f"{twilio_url}/stand-in/messages", timeout=30).json():
        for task_id in _TASK.findall(message["body"]):
            times.setdefault(task_id, message["received_at"])
    return times
