"""The house rules that a machine can hold."""

import ast
import importlib
import inspect
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from real_cli.app import COMMANDS
from real_cli.cli.commands import Members

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "real_cli"
FILES = sorted(PACKAGE.rglob("*.py"))
FOLDERS = sorted({path.parent for path in FILES})


def tree_of(folder):
    """Parse a room's `__init__.py`."""
    return ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))


CHECKERS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
    ("pydoclint", "--config=pyproject.toml", "real_cli"),
)


@pytest.mark.parametrize("command", CHECKERS, ids=" ".join)
def test_checkers_are_silent(command):
    """Style, types, who may import whom, and docstrings that say what the signature says."""
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_types_hold_for_every_python_that_is_named(version):
    """The checkers above take the one that runs."""
    program = Path(sys.executable).parent / "mypy"
    done = subprocess.run([program, "--python-version", version], cwd=ROOT, capture_output=True, text=True)
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


def test_one_folder_alone_imports_trl():
    """An upgrade of TRL touches one folder, a file for each of its trainers."""
    importing = [path for path in FILES if "import trl" in (text := path.read_text()) or "from trl" in text]
    assert sorted(path.name for path in importing) == ["dpo.py", "reward.py"]
    assert {path.parent for path in importing} == {PACKAGE / "train" / "trainers"}


def test_no_file_is_called_utils():
    """A name that says nothing collects everything."""
    assert not [path for path in FILES if path.stem in ("utils", "helpers", "misc", "common")]


def test_every_test_of_the_package_is_found():
    """Doctests run with the tests."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["pytest"]["ini_options"]["testpaths"] == ["tests", "real_cli"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_says_what_it_holds_and_has_at_most_25_files(folder):
    """Whoever enters a room reads its first line, and can take in the row of its files at a glance."""
    assert len(list(folder.glob("*.py"))) <= 25
    first = (folder / "__init__.py").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith('"""')
    assert len(first) > 30


def test_a_room_says_what_it_may_import():
    """The words beside the contracts of pyproject.toml; rooms within a command's folder follow their command."""
    silent = [
        path.name for path in FOLDERS if path.parent == PACKAGE and "import" not in ast.get_docstring(tree_of(path))
    ]
    assert silent == []


def test_no_class_name_stands_twice():
    """One name, one thing, in the whole tree."""
    homes = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


def docstring_lines(tree):
    """Count the lines of docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node.body[0] for node in ast.walk(tree) if isinstance(node, documented) and ast.get_docstring(node)]
    return sum(node.end_lineno - node.lineno + 1 for node in nodes)


def test_docstrings_are_at_most_a_fifth_of_the_package():
    """They are full where they teach, and one line elsewhere."""
    sources = [path.read_text(encoding="utf-8") for path in FILES]
    lines = sum(docstring_lines(ast.parse(source)) for source in sources)
    assert 0 < lines <= sum(source.count("\n") for source in sources) / 5


def leaves(rows=COMMANDS, words=()):
    """List the commands of the table, each with its words and its row."""
    for name, row in rows.items():
        yield from leaves(row.rows, (*words, name)) if isinstance(row, Members) else [((*words, name), row)]


LEAVES = dict(leaves())
HEAVY = ("torch", "numpy", "scipy", "trl", "datasets", "transformers", "pydantic", "openai", "ray")
READERS = ("real_cli.io.job", "real_cli.records.layouts")


def run_alone(code):
    """Run Python in a new process; return what it printed, read as JSON."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_help_loads_nothing_heavy_and_its_own_command_alone():
    """`real --help` and `real pair --help` must start at once."""
    code = (
        "import json, os, sys; from typer.testing import CliRunner; from real_cli.app import app\n"
        "before, seen = set(sys.modules), {}\n"
        f"for words in json.loads({json.dumps(json.dumps([[], *LEAVES]))}):\n"
        "    read, write = os.pipe()\n"
        "    if not os.fork():\n"
        "        done = CliRunner().invoke(app, [*words, '--help'])\n"
        "        os.write(write, json.dumps([done.exit_code, sorted(set(sys.modules))]).encode())\n"
        "        os._exit(0)\n"
        "    os.close(write)\n"
        "    seen[' '.join(words)] = json.loads(os.fdopen(read).read())\n"
        "print(json.dumps(seen))"
    )
    rooms = {" ".join(words): row.module.removesuffix(".command") for words, row in LEAVES.items()}
    for words, (status, modules) in run_alone(code).items():
        assert status == 0, words
        assert [name for name in (*HEAVY, *READERS) if name in modules] == [], words
        # train-reward's room is within train-dpo's, whose parts it shares.
        within = [room for room in rooms.values() if rooms.get(words, "").startswith(f"{room}.")]
        others = {room for name, room in rooms.items() if name != words and room not in within} & set(modules)
        assert others == set(), words


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_the_table_of_commands_repeats_the_first_sentence_of_the_help(words):
    """`real --help` lists commands without importing them."""
    row = LEAVES[words]
    function = getattr(importlib.import_module(row.module), row.function)
    assert " ".join(inspect.getdoc(function).split("\n\n")[0].split()) == row.summary


TORCH_FREE = {
    "pair": "pair -s random",
    "relabel winprob": "relabel winprob --from scores",
    "relabel weight": "relabel weight",
    "relabel shape": "relabel shape --method ceiling --ceiling 5",
    "relabel goal": "relabel goal",
    "relabel degrade": "relabel degrade",
    "eval budget": "eval budget",
    "relabel feedback": "relabel feedback",
    "eval labels": "eval labels",
    "eval pairs": "eval pairs",
    "eval reward": "eval reward",
    "eval winrate": "eval winrate",
    "eval judge": "eval judge --gold gold",
}


@pytest.mark.parametrize("command", TORCH_FREE.values(), ids=TORCH_FREE)
def test_the_light_commands_run_without_torch(command, tmp_path):
    """Lazy imports are beyond import-linter."""
    pair = {"prompt": "Why?", "chosen": "Since it is.", "rejected": "No.", "score_chosen": 4, "score_rejected": 1}
    pair |= {"completion": "Since it is.", "rating": 1} if "feedback" in command else {}
    pair |= {"gold_chosen": 2, "gold_rejected": 1, "model_chosen": "a", "model_rejected": "b"}
    pair |= {"strategy": "easy", "budget": 40, "seed": 1, "is_correct": True}
    (tmp_path / "pairs.jsonl").write_text(json.dumps(pair) + "\n")
    words = [*command.split(), str(tmp_path / "pairs.jsonl"), "-o", str(tmp_path / "out.jsonl")]
    code = (
        "import json, sys; from typer.testing import CliRunner; from real_cli.app import app\n"
        f"done = CliRunner().invoke(app, {words!r})\n"
        "print(json.dumps([done.exit_code, 'torch' in sys.modules, done.stderr]))"
    )
    assert run_alone(code)[:2] == [0, False]
