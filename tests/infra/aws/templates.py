"""Loading of the templates of infra/aws, and resolution of their functions before moto.

moto resolves references within a stack by itself. It does not support conditions on outputs or imports by `Fn::Sub`,
and does not check parameters, so that all of this is done here.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # the lint set has no stubs of it

from tests.conftest import CHECKOUT

FOLDER = CHECKOUT / "infra" / "aws"
ORDER = ("network", "storage-and-messaging", "data", "app", "observability", "delivery")
ACCOUNT = "123456789012"
REGION = "eu-central-1"
ENVIRONMENT = "production"

PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "network": {"MongoNetwork": "192.168.248.0/21"},
    "storage-and-messaging": {"Origins": "https://unite.example.com,https://app.example.com"},
    "data": {"MongoSecret": "unite/mongo", "TwilioSecret": "unite/twilio", "SentrySecret": "unite/sentry"},
    "app": {"PublicUrl": "https://unite.example.com", "DefaultCountry": "US", "ImageId": "ami-12c6146b"},
    "observability": {"AlarmEmail": "oncall@example.com"},
    "delivery": {
        "ConnectionArn": f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/c0ffee00-0000-4000-8000-000000000000",
        "Repository": "example/unite",
        "RepositorySubject": "example@1234/unite@5678",
    },
}
"""The parameters of each stack in tests, except for the certificate, which is created."""

BLUE_GREEN: Mapping[str, Mapping[str, str]] = {
    name: {"Deployment": "blue-green"} for name in ("app", "observability", "delivery")
}
"""The additional parameters for two groups of API instances."""

Template = dict[str, Any]


class NotDeployable(Exception):
    """An error for which CloudFormation would refuse the stack."""


class _Loader(yaml.CSafeLoader):  # type: ignore[misc]  # the lint set has no stubs of it
    """A YAML loader for the short forms of CloudFormation's functions."""


def _function(loader: Any, tag: str, node: Any) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _function)


@cache
def read(text: str) -> Template:
    """Parse the text of a template; the result is cached and must not be changed."""
    template: Template = yaml.load(text, _Loader)
    return template


def sources() -> dict[str, str]:
    """Return file name -> text of each template, in the order of deployment."""
    return {name: (FOLDER / f"{name}.yaml").read_text("utf-8") for name in ORDER}


def path_of(name: str) -> Path:
    """Return the path of a template."""
    return FOLDER / f"{name}.yaml"


_NOTHING = object()
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")


class Resolver:
    """Resolves all functions except references to resources of the same stack."""

    def __init__(self, template: Template, parameters: Mapping[str, str], exports: Mapping[str, str]) -> None:
        self._template = template
        self._exports = exports
        self._parameters = _checked(template, parameters)
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::ImportValue": self._import,
            "Fn::FindInMap": self._find,
            "Fn::If": lambda it: self.resolve(it[1] if self.condition(it[0]) else it[2]),
            "Fn::Join": self._join,
            "Fn::Split": lambda it: self.resolve(it[1]).split(it[0]),
            "Fn::Select": lambda it: self.resolve(it[1])[int(it[0])],
            "Fn::GetAZs": lambda _: [f"{REGION}{zone}" for zone in "abc"],
            "Fn::Base64": lambda it: base64.b64encode(self.resolve(it).encode()).decode(),
        }

    def template(self) -> Template:
        """Return the template in a form that moto understands."""
        return {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Resources": self._kept(self._template["Resources"]),
            "Outputs": self._kept(self._template.get("Outputs", {})),
        }

    def condition(self, name: str) -> bool:
        """Return whether a condition of the template is true."""
        return self._holds(self._template["Conditions"][name])

    def resolve(self, node: Any) -> Any:
        """Return the node with all functions resolved that do not refer to a resource of the same stack."""
        if isinstance(node, dict):
            if len(node) == 1 and next(iter(node)) in self._functions:
                (name, argument) = next(iter(node.items()))
                return self._functions[name](argument)
            resolved = {key: self.resolve(value) for key, value in node.items()}
            return {key: value for key, value in resolved.items() if value is not _NOTHING}
        if isinstance(node, list):
            return [value for value in map(self.resolve, node) if value is not _NOTHING]
        return node

    def _kept(self, members: Mapping[str, Any]) -> dict[str, Any]:
        kept = {}
        for name, member in members.items():
            if "Condition" in member and not self.condition(member["Condition"]):
                continue
            kept[name] = {
                key: self.resolve(value) for key, value in member.items() if key not in ("Condition", "Metadata")
            }
        return kept

    def _holds(self, node: Any) -> bool:
        (name, argument) = next(iter(node.items()))
        if name == "Fn::Not":
            return not self._holds(argument[0])
        if name == "Condition":
            return self.condition(argument)
        if name == "Fn::Equals":
            left, right = map(self.resolve, argument)
            return bool(left == right)
        raise NotDeployable(f"{name} is no condition that is known here")

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Region": REGION,
            "AWS::Partition": "aws",
            "AWS::NoValue": _NOTHING,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        self._resource(name)
        return {"Ref": name}

    def _get_att(self, argument: list[str]) -> Any:
        resource = self._resource(argument[0])
        if argument[1] == "CidrBlock":  # moto has no such attribute
            return self.resolve(resource["Properties"]["CidrBlock"])
        return {"Fn::GetAtt": argument}

    def _resource(self, name: str) -> Any:
        resource = self._template["Resources"].get(name)
        if resource is None:
            raise NotDeployable(f"there is neither a parameter nor a resource {name}")
        return resource

    def _sub(self, argument: Any) -> Any:
        text, variables = (argument, {}) if isinstance(argument, str) else argument
        parts: list[Any] = []
        end = 0
        for match in _PLACEHOLDER.finditer(text):
            parts.append(text[end : match.start()])
            end = match.end()
            literal, name = match.groups()
            if literal:
                parts.append(f"${{{name}}}")
            elif name in variables:
                parts.append(self.resolve(variables[name]))
            elif "." in name:
                parts.append(self._get_att(name.split(".", 1)))
            else:
                parts.append(self._ref(name))
        return _joined("", [*parts, text[end:]])

    def _join(self, argument: Any) -> Any:
        return _joined(argument[0], self.resolve(argument[1]))

    def _import(self, argument: Any) -> str:
        name = self.resolve(argument)
        if name not in self._exports:
            raise NotDeployable(f"no stack exports {name}")
        return self._exports[name]

    def _find(self, argument: Any) -> Any:
        name, *keys = argument
        mapping = self._template["Mappings"][name]
        for key in map(self.resolve, keys):
            mapping = mapping[key]
        return mapping


def _joined(separator: str, parts: list[Any]) -> Any:
    if any(isinstance(part, dict) for part in parts):
        return {"Fn::Join": [separator, parts]}
    return separator.join(map(str, parts))


def _checked(template: Template, given: Mapping[str, str]) -> dict[str, Any]:
    declared = template.get("Parameters", {})
    if unknown := given.keys() - declared.keys():
        raise NotDeployable(f"the template has no parameter {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {}
    for name, parameter in declared.items():
        value = str(given.get(name, parameter.get("Default", _NOTHING)))
        if name not in given and "Default" not in parameter:
            raise NotDeployable(f"the parameter {name} has no value")
        if "AllowedValues" in parameter and value not in parameter["AllowedValues"]:
            raise NotDeployable(f"{value} is no value of {name}")
        if "AllowedPattern" in parameter and not re.fullmatch(parameter["AllowedPattern"], value):
            raise NotDeployable(f"{value!r} is refused for {name}")
        if parameter["Type"] == "Number":
            values[name] = int(value)
        elif parameter["Type"] == "CommaDelimitedList":
            values[name] = value.split(",")
        else:
            values[name] = value
    return values


def as_json(template: Template) -> str:
    """Return the template as text."""
    return json.dumps(template)
