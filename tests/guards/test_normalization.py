"""Test that text is normalized in one module, which limits its length first."""

import ast

from tests.guards.patterns import sources

SLOW = {"normalize", "is_normalized"}
"""Functions of `unicodedata` whose time is the square of the number of marks."""


def test_only_one_module_normalizes_text() -> None:
    callers = {
        source.module
        for source in sources()
        for node in source.nodes
        if (isinstance(node, ast.Attribute) and node.attr in SLOW and ast.unparse(node.value) == "unicodedata")
        or (isinstance(node, ast.ImportFrom) and node.module == "unicodedata" and SLOW & {it.name for it in node.names})
    }

    assert callers == {"unite_core.text"}
