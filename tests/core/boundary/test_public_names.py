"""Tests of public names: every type in a public signature is exported, and `import unite_core` loads little."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from inspect import getsource
from typing import Any, get_args, get_origin, get_type_hints

import pytest

import unite_core
from tests.conftest import CHECKOUT

PUBLIC = ("unite_core", "unite_core.ports", "unite_core.use_cases", "unite_core.report_types")


def public_objects() -> dict[str, Any]:
    """Return what the public modules export, by module and name."""
    return {
        f"{module}.{name}": getattr(import_module(module), name)
        for module in PUBLIC
        for name in import_module(module).__all__
    }


def classes_in(hint: Any) -> Iterator[type]:
    """Yield the classes of the core that an annotation names."""
    for each in get_args(hint):
        for inner in each if isinstance(each, list) else [each]:
            yield from classes_in(inner)
    kind = get_origin(hint) or hint
    if isinstance(kind, type) and kind.__module__.startswith("unite_core"):
        yield kind


def classes_named_by(thing: Any) -> Iterator[type]:
    """Yield the classes of the core in the signatures of a function, or of a class and its public methods."""
    members = vars(thing).items() if isinstance(thing, type) else ()
    methods = [member for name, member in members if not name.startswith("_") or name == "__call__"]
    for each in (thing, *methods):
        function = getattr(each, "fget", None) or getattr(each, "__func__", each)
        if callable(function):
            for hint in get_type_hints(function).values():
                yield from classes_in(hint)


def test_every_type_in_a_public_signature_is_exported() -> None:
    exported = public_objects()
    named = {
        kind
        for thing in exported.values()
        if callable(thing) and getattr(thing, "__module__", "").startswith("unite_core")
        for kind in classes_named_by(thing)
    }

    missing = sorted(f"{kind.__module__}.{kind.__name__}" for kind in named - {*filter(_is_class, exported.values())})

    assert missing == []
    assert len(named) > 200


def _is_class(thing: Any) -> bool:
    return isinstance(thing, type)


def test_every_object_has_one_public_name() -> None:
    names: dict[int, list[str]] = {}
    for name, thing in public_objects().items():
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

    loaded = {name: (module, name) for name, module in unite_core._MODULES.items()}

    assert seen == loaded
    assert sorted([*loaded, "__version__"]) == sorted(unite_core.__all__) == sorted(dir(unite_core))


def test_an_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'unite_core' has no attribute 'Nonsense'"):
        unite_core.Nonsense  # noqa: B018 - it is to raise


def test_the_version_is_that_of_the_package() -> None:
    assert unite_core.__version__.count(".") == 2
    assert "version = attr: unite_core.__version__" in (CHECKOUT / "setup.cfg").read_text("utf-8")


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import unite_core", ["unite_core.", "phonenumbers", "email_validator", "pytest"]),
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
        capture_output=True,
        text=True,
        check=True,
    )

    assert [name for name in run.stdout.split() for each in absent if name.startswith(each)] == []
