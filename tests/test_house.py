"""The house rules that a machine can hold."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "real_cli"
FILES = sorted(PACKAGE.rglob("*.py"))


CHECKERS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
    ("pydoclint", "--config=pyproject.toml", "real_cli/core"),
)


@pytest.mark.parametrize("command", CHECKERS, ids=" ".join)
def test_checkers_are_silent(command):
    """Style, types, the order of imports, and docstrings that say what the signature says."""
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_are_at_most_300_lines_and_functions_40(path):
    """Signatures and docstrings are not counted: the body is what a reader holds in mind."""
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= 300
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            size = node.end_lineno - body[0].lineno + 1 if body else 0
            assert size <= 40, f"{node.name}: {size} lines"


def test_one_file_alone_imports_trl():
    """An upgrade of TRL touches one file."""
    importing = [path.name for path in FILES if "import trl" in (text := path.read_text()) or "from trl" in text]
    assert importing == ["trainer.py"]


def test_no_file_is_called_utils():
    """A name that says nothing collects everything."""
    assert not [path for path in FILES if path.stem in ("utils", "helpers", "misc", "common")]


def test_every_test_of_the_package_is_found():
    """Doctests of the pure rooms run with the tests."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "real_cli/core" in settings["tool"]["pytest"]["ini_options"]["testpaths"]


def test_help_loads_nothing_heavy():
    """`real --help` and `real pair --help` must start at once: no numpy, no torch, no pydantic."""
    code = (
        "import sys; from typer.testing import CliRunner; from real_cli.app import app\n"
        "for words in ([], ['pair'], ['train-dpo'], ['eval', 'margin'], ['relabel', 'judge']):\n"
        "    assert CliRunner().invoke(app, [*words, '--help']).exit_code == 0\n"
        "print([name for name in ('torch', 'numpy', 'trl', 'datasets', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr
