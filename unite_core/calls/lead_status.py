"""How a call moves its lead."""

from datetime import datetime

from unite_core.calls.model import Completion, Outcome
from unite_core.leads.model import Lead, LeadStatus

_REACHED = frozenset({Outcome.CONNECTED, Outcome.CALLBACK_REQUESTED})


def status_after(lead: Lead, completion: Completion, now: datetime) -> LeadStatus:
    """The status that the lead has after the call, told at `now`.

    | outcome                       | lead                | becomes   |
    |-------------------------------|---------------------|-----------|
    | connected, callback_requested | new                 | contacted |
    | converted                     | any                 | converted |
    | not_interested                | all but converted   | lost      |

    All else leaves it as it is. So does every call that had begun before somebody chose the status by hand: they knew
    more, or want it so.
    """
    if lead.status_chosen_at is not None and lead.status_chosen_at > completion.began(now):
        return lead.status
    if completion.outcome is Outcome.CONVERTED:
        return LeadStatus.CONVERTED
    if completion.outcome is Outcome.NOT_INTERESTED and lead.status is not LeadStatus.CONVERTED:
        return LeadStatus.LOST
    if completion.outcome in _REACHED and lead.status is LeadStatus.NEW:
        return LeadStatus.CONTACTED
    return lead.status
