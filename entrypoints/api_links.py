"""Links to what the HTTP API shows, for messages that leave the service."""

from dataclasses import dataclass

from unite_core.notifications.ports import Links


@dataclass(frozen=True)
class ApiLinks(Links):
    """Links to operations of the API; `public_url` is what they start with, without a slash at the end."""

    public_url: str

    def of_call_task(self, task_id: str) -> str:
        return f"{self.public_url}/v1/call-tasks/{task_id}"

    def of_import(self, import_id: str) -> str:
        return f"{self.public_url}/v1/lead-imports/{import_id}"
