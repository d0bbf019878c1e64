"""Names are nouns of the field: a pronoun or a participle says nothing of what it holds."""

import ast
from pathlib import Path

import pytest

import real_cli

PACKAGE = Path(real_cli.__file__).parent
BANNED = {"one", "own", "made", "found", "said", "told"}
TESTS = Path(__file__).parents[1]
ROOMS = sorted(path for top in (PACKAGE, TESTS) for path in (top, *top.iterdir()) if list(path.glob("*.py")))


def bound_names(tree):
    """Yield each name that code binds, with its line: variables, parameters, attributes, functions and classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name


def banned_in(source):
    return [(line, name) for line, name in bound_names(ast.parse(source)) if name.strip("_") in BANNED]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: f"{room.parent.name}/{room.name}")
def test_no_name_is_a_pronoun(room):
    paths = sorted(room.glob("*.py") if room in (PACKAGE, TESTS) else room.rglob("*.py"))
    assert paths
    bound = {str(path.relative_to(room)): banned_in(path.read_text(encoding="utf-8")) for path in paths}
    assert {path: names for path, names in bound.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "one = 1",
        "for own in []: pass",
        "def f(told): pass",
        "def made(): pass",
        "x._said = 1",
        "[found for found in []]",
    ],
)
def test_each_way_to_bind_a_name_is_seen(source):
    assert len(banned_in(source)) == 1
