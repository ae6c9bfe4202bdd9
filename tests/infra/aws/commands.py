"""Check of AWS commands in the documents against botocore's service descriptions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from botocore import xform_name
from botocore.session import Session

# Commands that exist only on the command line, without a service description, with the options used in documents.
_OWN = {
    ("cloudformation", "deploy"): {
        "stack-name",
        "template-file",
        "capabilities",
        "no-fail-on-empty-changeset",
        "parameter-overrides",
    },
    ("logs", "tail"): {"since", "filter-pattern", "follow"},
    ("s3", "sync"): {"delete"},
}
_SERVICES = {"deploy": "codedeploy", "s3api": "s3"}
_EVERYWHERE = {"query", "output", "region", "endpoint-url", "max-items"}
_session = Session()


@dataclass(frozen=True)
class AwsCommand:
    """A command in a document: `aws SERVICE OPERATION --OPTION …`."""

    service: str
    operation: str
    options: frozenset[str]

    def problems(self) -> Iterator[str]:
        """Return what the AWS command line would refuse: the operation, or an option."""
        known = _options(self.service, self.operation)
        if known is None:
            yield f"aws {self.service} {self.operation}: there is no such command"
        else:
            for option in sorted(self.options - known - _EVERYWHERE):
                yield f"aws {self.service} {self.operation}: there is no option --{option}"


def aws_commands(text: str) -> Iterator[AwsCommand]:
    """Yield all AWS commands in a document, including nested ones."""
    for command in _pieces(text):
        match = re.match(r"aws ([a-z0-9-]+) ((?:wait )?[a-z0-9-]+)(.*)", command, re.DOTALL)
        if match:
            yield AwsCommand(match[1], match[2], frozenset(re.findall(r"\s--([a-z][a-z0-9-]*)", match[3])))


def _pieces(text: str) -> Iterator[str]:
    text = re.sub(r"`([^`\n]*\n[^`\n]*)`", lambda it: "`" + " ".join(it[1].split()) + "`", text)
    text = text.replace("\\\n", " ")
    while match := re.search(r"\$?\(([^()]*)\)", text):
        if match[0].startswith("$"):
            yield match[1].strip()
        text = text[: match.start()] + "…" + text[match.end() :]
    for line in text.splitlines():
        for piece in re.split(r"`|;|&&|\bdo\b|\{ | \| (?=aws )", line):
            yield piece.strip()


@cache
def _options(service: str, operation: str) -> set[str] | None:
    if (service, operation) in _OWN:
        return _OWN[service, operation]
    name = _SERVICES.get(service, service)
    if name not in _session.get_available_services():
        return None
    model = _session.get_service_model(name)
    if operation.startswith("wait "):
        waiters = _session.get_waiter_model(name)
        names = {xform_name(it, "-"): waiters.get_waiter(it).operation for it in waiters.waiter_names}
        operations = {operation: names.get(operation.removeprefix("wait "))}
    else:
        operations = {xform_name(it, "-"): it for it in model.operation_names}
    if not (real := operations.get(operation)):
        return None
    options = set()
    shape = model.operation_model(real).input_shape
    for member, given in shape.members.items() if shape else ():
        options.add(xform_name(member, "-"))
        if given.type_name == "boolean":
            options.add(f"no-{xform_name(member, '-')}")
    return options
