"""Tests of the table of a lead's text fields against the attributes of its details."""

from dataclasses import fields
from typing import get_args, get_type_hints

import pytest

from unite_core.errors import FieldError
from unite_core.leads.details import OPTIONAL_TEXTS, SOURCE, TEXTS, LeadDetails, TextField
from unite_core.leads.use_cases import LeadChanges, NewLead
from unite_core.testing.builders import a_lead


def test_the_table_has_exactly_the_text_attributes() -> None:
    kinds = get_type_hints(LeadDetails)
    texts = {name for name, kind in kinds.items() if kind is str or set(get_args(kind)) == {str, type(None)}}

    assert sorted(field.name for field in TEXTS) == sorted(texts)


@pytest.mark.parametrize("field", TEXTS, ids=lambda field: field.name)
def test_a_field_reads_its_own_value_from_the_details(field: TextField) -> None:
    details = a_lead(**{field.name: "value"}).details

    assert field.value(details) == "value"
    assert [name for name, value in details.texts.items() if value == "value"] == [field.name]


@pytest.mark.parametrize("command", [NewLead, LeadChanges])
def test_every_detail_can_be_set_by_create_and_update(command: type[NewLead | LeadChanges]) -> None:
    given = {field.name for field in fields(command)}

    assert {field.name for field in fields(LeadDetails)} <= given


@pytest.mark.parametrize("field", OPTIONAL_TEXTS, ids=lambda field: field.name)
def test_an_optional_text_has_a_maximum_length_and_an_empty_one_is_none(field: TextField) -> None:
    too_long = field.read("x" * (field.max_length + 1))

    assert field.read("X" * field.max_length) == "X" * field.max_length
    assert isinstance(too_long, FieldError)
    assert (too_long.field, too_long.code) == (field.name, "too_long")
    assert field.read("") is None
    assert field.description
    assert field.example
    assert len(("İ" * field.max_length).lower()) <= field.max_key_length


def test_a_filter_compares_without_case_and_requires_a_value() -> None:
    nothing = SOURCE.read_key("")

    assert SOURCE.read_key("Trade Fair") == "trade fair"
    assert isinstance(nothing, FieldError)
    assert nothing.code == "required"
