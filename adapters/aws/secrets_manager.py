"""Settings that are kept in AWS Secrets Manager."""

import json
from collections.abc import Mapping

from adapters.aws.clients import AwsClients
from adapters.aws.guard import ServiceGuard
from unite_core.errors import Invalid

NAME = "AWS Secrets Manager"


def read_secret(arn: str, access: AwsClients) -> Mapping[str, str]:
    """The names and values of a secret that holds a JSON object of strings.

    Raises `Unavailable`, `NotFound` where there is no such secret, and `Invalid` where it holds something else; no
    value is quoted.
    """
    with ServiceGuard(NAME, absent="There is no such secret.").call():
        answer = access.secrets_manager().get_secret_value(SecretId=arn)
    try:
        values = json.loads(answer.get("SecretString", ""))
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise Invalid("The secret is no JSON object whose values are strings.")
    return values
