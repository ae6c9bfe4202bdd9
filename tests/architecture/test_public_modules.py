"""In the wheels only public modules have names without an underscore, and what is documented uses no others."""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

import pytest

import unite_core
from infra.release.stage import DISTRIBUTIONS, REPOSITORY_URL, renamed_modules, stage
from tests.conftest import CHECKOUT
from tests.public_api.signatures import named_classes, public_objects

SERVICE = Path(__file__).with_name("outside_service.py")
PAGES = (
    "README.md",
    "docs/reference/library.md",
    "docs/reference/adapters.md",
    "docs/how-to/use-the-library.md",
    "docs/how-to/test-an-adapter-of-your-own.md",
)
PUBLIC = {module for distribution in DISTRIBUTIONS.values() for module in distribution.public}
IN_CHECKOUT = {new: old for old, new in renamed_modules().items()}


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The texts of the modules of both distributions by their names in the wheels."""
    modules = {}
    for name in DISTRIBUTIONS:
        folder = tmp_path_factory.mktemp(name)
        stage(name, folder)
        for path in (folder / name).rglob("*.py"):
            module = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
            modules[module] = path.read_text("utf-8")
    return modules


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the modules of both distributions that a program imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from (name for name in names if name.partition(".")[0] in DISTRIBUTIONS)


def examples() -> list[str]:
    """Return the Python examples of the documentation, and the service of a third party."""
    blocks = [
        block
        for page in PAGES
        for block in re.findall(
            r"^```python\n(.*?)^```$", (CHECKOUT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
    ]
    return [*blocks, SERVICE.read_text("utf-8")]


def test_a_module_without_an_underscore_is_public(staged: Mapping[str, str]) -> None:
    packages = {public.rpartition(".")[0] for public in PUBLIC} - {""}
    without = {name for name in staged if not re.search(r"\._(?!_)|versions\.\d", name)}

    assert without - {"unite_adapters.sql.migrations.env"} == PUBLIC | packages
    assert len(staged) - len(without) > 200


def test_every_import_finds_its_module(staged: Mapping[str, str]) -> None:
    named = {name for text in staged.values() for name in imported(ast.parse(text))}

    assert named - staged.keys() == set()
    assert len(named) > 150


def test_no_text_names_a_module_as_it_is_in_the_checkout(staged: Mapping[str, str]) -> None:
    private = [re.escape(old) for old, new in renamed_modules().items() if old != new and "." in old]
    pattern = re.compile(rf"(?<![\w./-])(?:{'|'.join(private)})\b")

    assert [found for text in staged.values() for found in pattern.findall(text)] == []


@pytest.mark.parametrize("module", sorted(PUBLIC))
def test_a_public_module_lists_its_names_and_is_documented(module: str) -> None:
    assert import_module(IN_CHECKOUT[module]).__all__
    name = DISTRIBUTIONS[module.partition(".")[0]]
    page = (CHECKOUT / name.page).read_text("utf-8")
    assert f"`{module}" in page or f"`.{module.rpartition('.')[2]}`" in page


def test_what_is_documented_imports_public_modules_alone() -> None:
    used = {name for example in examples() for name in imported(ast.parse(example))}

    assert used - PUBLIC == set()
    assert used >= {"unite_core", "unite_core.ports", "unite_core.testing.contracts", "unite_adapters.production"}


def test_every_type_in_a_signature_of_an_adapter_is_exported() -> None:
    exported = public_objects(IN_CHECKOUT[module] for module in PUBLIC).values()
    classes = {each for each in exported if isinstance(each, type)}

    named = named_classes(each for each in exported if getattr(each, "__module__", "").startswith("adapters"))

    assert sorted(kind.__name__ for kind in named - classes) == []
    assert {"CallPolicy", "AwsClients", "Cache"} <= {kind.__name__ for kind in named}


def test_a_release_has_the_addresses_of_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(REPOSITORY_URL, "https://github.com/sales/unite")
    for name in DISTRIBUTIONS:
        stage(name, tmp_path / name)

        metadata = tomllib.loads((tmp_path / name / "pyproject.toml").read_text("utf-8"))

        tag = f"v{unite_core.__version__}"
        assert metadata["project"]["urls"] == {
            "Source": f"https://github.com/sales/unite/tree/{tag}",
            "Documentation": f"https://github.com/sales/unite/tree/{tag}/docs",
            "Changelog": f"https://github.com/sales/unite/blob/{tag}/CHANGELOG.md",
            "Issues": "https://github.com/sales/unite/issues",
        }


def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(REPOSITORY_URL, 'https://example.com/"')

    with pytest.raises(ValueError, match=REPOSITORY_URL):
        stage("unite_core", tmp_path)
