"""Tests of public names: every type in a public signature is exported, and `import unite_core` loads little."""

import ast
import subprocess
import sys
from inspect import getsource

import pytest

import unite_core
from infra.release.notes import library_version
from infra.release.stage import DISTRIBUTIONS
from tests.conftest import CHECKOUT
from tests.public_api.signatures import named_classes, public_objects

PUBLIC = DISTRIBUTIONS["unite_core"].public


def test_every_type_in_a_public_signature_is_exported() -> None:
    exported = public_objects(PUBLIC).values()
    named = named_classes(exported)
    classes = {each for each in exported if isinstance(each, type)}

    missing = sorted(f"{kind.__module__}.{kind.__name__}" for kind in named - classes)

    assert missing == []
    assert len(named) > 200


def test_every_object_has_one_public_name() -> None:
    names: dict[int, list[str]] = {}
    for name, thing in public_objects(PUBLIC).items():
        if isinstance(thing, type):
            names.setdefault(id(thing), []).append(name)

    assert [several for several in names.values() if len(several) > 1] == []


def test_type_checkers_see_the_lazily_loaded_names() -> None:
    block = next(each for each in ast.parse(getsource(unite_core)).body if isinstance(each, ast.If))
    seen = {
        name.asname or name.name: (each.module, name.name)
        for each in block.body
        if isinstance(each, ast.ImportFrom)
        for name in each.names
    }

    loaded = {name: (module, name) for module, names in unite_core._NAMES.items() for name in names}

    assert seen == loaded
    assert sorted([*loaded, "__version__"]) == sorted(unite_core.__all__) == sorted(dir(unite_core))


def test_an_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'unite_core' has no attribute 'Nonsense'"):
        unite_core.Nonsense  # type: ignore[attr-defined]  # noqa: B018 - it is to raise


def test_the_version_is_that_of_the_package() -> None:
    assert unite_core.__version__.count(".") == 2
    assert unite_core.__version__ == library_version()


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import unite_core", ["unite_core.errors", "phonenumbers", "email_validator", "dataclasses", "pytest"]),
        ("from unite_core import UniteError", ["unite_core.application", "phonenumbers", "email_validator", "pytest"]),
        (
            "from unite_core import *",
            ["phonenumbers", "email_validator", "idna", "dns", "pytest", "unite_core.testing"],
        ),
        ("import unite_core.ports, unite_core.use_cases, unite_core.report_types", ["phonenumbers", "pytest"]),
        ("import unite_core.testing.scenario", ["phonenumbers", "email_validator", "pytest", "hypothesis"]),
    ],
)
def test_an_import_loads_only_what_it_needs(statement: str, absent: list[str]) -> None:
    program = f"{statement}; import sys; print('\\n'.join(sys.modules))"

    run = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); {program}"],
        env={},  # coverage would load modules of its own
        capture_output=True,
        text=True,
        check=True,
    )

    assert [name for name in run.stdout.split() for each in absent if name.startswith(each)] == []
