"""The rule by which a call changes the status of its lead."""

from datetime import datetime

from unite_core.calls.model import CallOutcome, Completion
from unite_core.leads.details import LeadStatus
from unite_core.leads.model import Lead

_REACHED = frozenset({CallOutcome.CONNECTED, CallOutcome.CALLBACK_REQUESTED})


def status_after(lead: Lead, completion: Completion, now: datetime) -> LeadStatus:
    """Return the status of the lead after a call that is reported at `now`.

    | outcome                       | lead                | becomes   |
    |-------------------------------|---------------------|-----------|
    | connected, callback_requested | new                 | contacted |
    | converted                     | any                 | converted |
    | not_interested                | all but converted   | lost      |

    Every other call leaves the status as it is. So does every call that began before a user set the status by hand:
    that user knew more, or wants that status.
    """
    if lead.status_chosen_at is not None and lead.status_chosen_at > completion.began(now):
        return lead.status
    if completion.outcome is CallOutcome.CONVERTED:
        return LeadStatus.CONVERTED
    if completion.outcome is CallOutcome.NOT_INTERESTED and lead.status is not LeadStatus.CONVERTED:
        return LeadStatus.LOST
    if completion.outcome in _REACHED and lead.status is LeadStatus.NEW:
        return LeadStatus.CONTACTED
    return lead.status
