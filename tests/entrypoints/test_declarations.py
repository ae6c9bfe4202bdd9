"""Tests of the declarations of settings: each variable is unique and used, and secrets are hidden."""

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from marshmallow.fields import Integer

from entrypoints.settings import LogSettings, SettingsRefused, Twilio, read_settings
from entrypoints.settings import Settings as Model
from entrypoints.settings import variables as env
from entrypoints.settings.environment_reader import Values
from entrypoints.settings.setting import Setting, optional, read_from, setting, text, whole_number

PLACE = optional("UNITE_PLACE", "A place.", text(), default="nowhere", secret=True)
COUNT = setting("UNITE_COUNT", "A count.", whole_number(1, 10), value=3)


@dataclass(frozen=True, kw_only=True)
class Example:
    place: str | None = read_from(PLACE)
    count: int = read_from(COUNT)


def test_a_field_has_the_default_and_the_secrecy_of_its_setting() -> None:
    assert Example() == Example(place=None, count=3)
    assert repr(Example(place="hidden")).endswith("Example(count=3)")


def test_the_default_describes_itself_unless_a_description_is_given() -> None:
    assert (COUNT.default, PLACE.default) == ("3", "nowhere")


def test_a_refused_value_is_replaced_by_the_default_and_counts_as_set() -> None:
    values = Values({"UNITE_COUNT": "11", "UNITE_PLACE": "here"}, (PLACE, COUNT))

    assert (values[PLACE], values[COUNT]) == ("here", 3)
    assert values.given(COUNT)
    assert values.problems == ["UNITE_COUNT: is not a whole number from 1 to 10"]


@pytest.mark.parametrize("it", [it for it in env.ALL if isinstance(it.field, Integer)], ids=str)
@pytest.mark.parametrize("value", ["1_000", " 80", "+80", "٣٢", "80\n", "0000000080"])
def test_a_whole_number_has_at_most_nine_ascii_digits(it: Setting[Any], value: str) -> None:
    with pytest.raises(SettingsRefused, match=f"{it}: is not a whole number from "):
        read_settings({it.name: value})


@pytest.mark.parametrize("it", env.ALL, ids=str)
def test_each_declared_variable_is_read(it: Setting[Any]) -> None:
    with pytest.raises(SettingsRefused) as refused:
        read_settings({f"{it}_FILE": ""})

    assert f"{it}_FILE: is empty; name a file, or take the variable out" in refused.value.problems


def test_each_declared_variable_is_used(checkout: Path) -> None:
    folder = checkout / "entrypoints" / "settings"
    code = "".join((folder / f"{name}.py").read_text("utf-8") for name in ("model", "load", "rules", "traces"))
    used = set(re.findall(r"\b(?:env|variables)\.([A-Z0-9_]+)", code))

    assert {name for name, value in vars(env).items() if isinstance(value, Setting)} <= used


@pytest.mark.parametrize("model", [Model, Twilio, LogSettings])
def test_secrets_are_left_out_of_the_representation(model: type[Model | Twilio | LogSettings]) -> None:
    declared = [(it, it.metadata["setting"]) for it in fields(model) if "setting" in it.metadata]

    assert declared
    assert [it.name for it, source in declared if it.repr and source.secret] == []


def test_names_are_unique_and_have_the_prefix() -> None:
    names = [it.name for it in env.ALL]

    assert len(set(names)) == len(names)
    assert all(name.startswith((env.PREFIX, "OTEL_")) for name in names)
