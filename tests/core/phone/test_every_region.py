from collections.abc import Iterator

from phonenumbers import PhoneNumber

from tests.core.phone.spellings import REGIONS, TYPES, e164, example, misread, with_country, without_country
from unite_core.phone import Phone, parse_phone

USUAL = TYPES[:2]
"""Fixed lines and mobiles."""


def numbers() -> Iterator[tuple[str, PhoneNumber]]:
    """An example of each region: of one kind after the other, or of a fixed line if the region has none of the kind."""
    for index, region in enumerate(REGIONS):
        number = example(region, TYPES[index % len(TYPES)]) or example(region, USUAL[0])
        if number is not None:
            yield region, number


def sample(spellings: Iterator[str], index: int, step: int) -> list[str]:
    """Every `step`-th spelling, beginning with another one for each index."""
    return list(spellings)[index % step :: step]


def test_no_example_of_any_region_is_misread_in_its_own_country() -> None:
    wrong = [
        (region, spelling)
        for index, (region, number) in enumerate(numbers())
        for spelling in (*sample(with_country(number), index, 4), *sample(without_country(number), index, 3))
        if misread(region, number, spelling) is not None
    ]

    assert wrong == []


def test_numbers_that_say_their_country_are_never_misread_in_another_country() -> None:
    wrong = [
        (region, country, spelling)
        for index, (region, number) in enumerate(numbers())
        for country in (("US", "DE", "FR", "GB")[index % 4],)
        for spelling in sample(with_country(number), index, 6)
        if misread(country, number, spelling) is not None
    ]

    assert wrong == []


def test_usual_notations_of_fixed_lines_and_mobiles_are_read_and_not_only_not_misread() -> None:
    refused = []
    for index, region in enumerate(REGIONS):
        number = example(region, USUAL[index % 2])
        if number is None:
            continue
        usual = [next(with_country(number)), next(without_country(number)), e164(number).removeprefix("+")]
        refused += [(region, text) for text in usual if not isinstance(parse_phone(text, country=region), Phone)]

    # Numbers of four digits, and numbers that begin with their own calling code.
    assert len(refused) <= len(REGIONS) // 50
