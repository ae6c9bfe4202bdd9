"""Links that lead nowhere."""

from dataclasses import dataclass

from unite_core.notifications.ports import Links


@dataclass(frozen=True)
class InMemoryLinks(Links):
    """Links that start with `base`, which has no slash at the end."""

    base: str = "https://unite.example"

    def of_call_task(self, task_id: str) -> str:
        return f"{self.base}/call-tasks/{task_id}"

    def of_import(self, import_id: str) -> str:
        return f"{self.base}/lead-imports/{import_id}"
