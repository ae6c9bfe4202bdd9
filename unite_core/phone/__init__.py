"""Phone numbers: any common notation in, E.164 out; what may be another number, or none, is refused.

`parse_phone` takes three steps: `spelling` reads the characters, `numbering` says which numbers the digits can be, and
`parsing` decides ([decision 75](docs/decisions/0075-a-number-is-read-one-way-or-refused.md)).
"""

from unite_core.phone.model import (
    MAX_EXTENSION_LENGTH,
    MAX_PHONE_INPUT_LENGTH,
    MAX_PHONE_LENGTH,
    Phone,
    PhonePolicy,
    PhoneRule,
    country_error,
    is_country,
    phone_error,
)
from unite_core.phone.parsing import extension_error, parse_phone

__all__ = [
    "MAX_EXTENSION_LENGTH",
    "MAX_PHONE_INPUT_LENGTH",
    "MAX_PHONE_LENGTH",
    "Phone",
    "PhonePolicy",
    "PhoneRule",
    "country_error",
    "extension_error",
    "is_country",
    "parse_phone",
    "phone_error",
]
