"""Reading of settings from AWS Secrets Manager."""

import json
from collections.abc import Mapping

from adapters.aws.clients import AwsClients
from adapters.aws.guard import aws_guard
from unite_core.errors import Invalid

NAME = "AWS Secrets Manager"


def read_secret(arn: str, access: AwsClients) -> Mapping[str, str]:
    """Return the names and values of a secret that is a JSON object of strings.

    Raises `Unavailable`, `NotFound` where there is no such secret, and `Invalid` where it is anything else. Errors
    quote no value.
    """
    guard = aws_guard(NAME, access.policy, absent="There is no such secret.")
    response = guard.call(lambda: access.secrets_manager().get_secret_value(SecretId=arn))
    try:
        values = json.loads(response.get("SecretString", ""))
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise Invalid("The secret is not a JSON object whose values are strings.")
    return values
