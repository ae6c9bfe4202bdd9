"""What every implementation of a port has to do: one suite of tests per port.

A suite is a class; derive a test class from it and give it the fixtures that it names. The suites need pytest.
"""

from unite_core.testing.contracts.answers import AnswersContract
from unite_core.testing.contracts.database import DatabaseContract
from unite_core.testing.contracts.files import FilesContract, SignedFilesContract
from unite_core.testing.contracts.identity import PasswordsContract, SessionsContract, TokensContract, UsersContract
from unite_core.testing.contracts.imports import ImportRowsContract, ImportsContract, RehearsalContract
from unite_core.testing.contracts.leads import LeadImagesContract, LeadListContract, LeadsContract
from unite_core.testing.contracts.outside import ClockContract, IdsContract, JobsContract, RateLimitsContract
from unite_core.testing.contracts.unit_of_work import UnitOfWorkContract

__all__ = [
    "AnswersContract",
    "ClockContract",
    "DatabaseContract",
    "FilesContract",
    "IdsContract",
    "ImportRowsContract",
    "ImportsContract",
    "JobsContract",
    "LeadImagesContract",
    "LeadListContract",
    "LeadsContract",
    "PasswordsContract",
    "RateLimitsContract",
    "RehearsalContract",
    "SessionsContract",
    "SignedFilesContract",
    "TokensContract",
    "UnitOfWorkContract",
    "UsersContract",
]
