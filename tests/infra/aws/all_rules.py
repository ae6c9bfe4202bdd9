"""The list of all rules for the templates."""

from tests.infra.aws.alarms import ALARM_RULES
from tests.infra.aws.rules import GENERAL_RULES, Rule
from tests.infra.aws.stopping import STOPPING_RULES

RULES: tuple[Rule, ...] = (*GENERAL_RULES, *ALARM_RULES, *STOPPING_RULES)
