"""Deployment of the templates on moto, in this process."""

import os
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto import mock_aws

from tests.infra.aws import additions
from tests.infra.aws.additions import client
from tests.infra.aws.templates import ENVIRONMENT, PARAMETERS, NotDeployable, Resolver, Template, as_json, read

CONFIGURATION: Any = {"iam": {"load_aws_managed_policies": True}}


@dataclass(kw_only=True)
class Deployment:
    """The exports of the stacks, the deployed templates, and the physical id of each resource."""

    exports: dict[str, str] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    ids: dict[str, dict[str, str]] = field(default_factory=dict)

    def export(self, name: str) -> str:
        """Return the exports of a stack."""
        return self.exports[f"unite-{ENVIRONMENT}-{name}"]


@contextmanager
def aws() -> Generator[None]:
    """Run an empty moto in this process."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
    before = {name: os.environ.get(name) for name in names}
    try:
        with mock_aws(config=CONFIGURATION), warnings.catch_warnings():
            os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"
            client.cache_clear()
            additions.add()
            yield
    finally:
        client.cache_clear()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def deploy(sources: Mapping[str, str], more: Mapping[str, Mapping[str, str]] | None = None) -> Deployment:
    """Deploy the stacks in order, after the resources that are created by hand; raise `NotDeployable`."""
    _by_hand()
    certificate = client("acm").request_certificate(DomainName="unite.example.com")["CertificateArn"]
    done = Deployment()
    for name, text in sources.items():
        parameters = {"Environment": ENVIRONMENT, **PARAMETERS[name], **(more or {}).get(name, {})}
        if name == "app":
            parameters["CertificateArn"] = certificate
        template = Resolver(read(text), parameters, done.exports).template()
        _create(f"unite-{ENVIRONMENT}-{name}", template)
        done.templates[name] = template
        described = client("cloudformation").describe_stack_resources(StackName=f"unite-{ENVIRONMENT}-{name}")
        done.ids[name] = {
            it["LogicalResourceId"]: it.get("PhysicalResourceId", "") for it in described["StackResources"]
        }
        missing = template["Resources"].keys() - done.ids[name].keys()
        if missing:
            raise NotDeployable(f"{name}: nothing was made of {', '.join(sorted(missing))}")
        done.exports.update(_exports(f"unite-{ENVIRONMENT}-{name}"))
    return done


def _by_hand() -> None:
    secrets = client("secretsmanager")
    secrets.create_secret(
        Name="unite/mongo",
        SecretString='{"service_url": "mongodb://service:p@m/unite", "migrate_url": "mongodb://root:p@m/unite"}',
    )
    twilio = f'{{"account_sid": "AC{"0" * 32}", "auth_token": "{"1" * 32}", "from": "+12025550123"}}'
    secrets.create_secret(Name="unite/twilio", SecretString=twilio)
    secrets.create_secret(Name="unite/sentry", SecretString='{"dsn": "https://key@sentry.example.com/1"}')


def _create(stack: str, template: Template) -> None:
    try:
        client("cloudformation").create_stack(
            StackName=stack, TemplateBody=as_json(template), Capabilities=["CAPABILITY_NAMED_IAM"]
        )
    except Exception as error:
        raise NotDeployable(f"{stack}: {type(error).__name__}: {error}") from error


def _exports(stack: str) -> dict[str, str]:
    outputs = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    return {it["ExportName"]: it["OutputValue"] for it in outputs if "ExportName" in it}
