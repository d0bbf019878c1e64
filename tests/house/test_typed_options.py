"""What the command line tells a command is one typed dataclass, and nothing goes around it."""

import ast
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields
from importlib import import_module
from pathlib import Path

import pytest
import typer

from real_cli.app import COMMANDS, app
from real_cli.cli.commands import Members
from real_cli.cli.option_sets import Options
from real_cli.cli.typed_command import shown_fields

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "real_cli").rglob("*.py"))


def leaves(rows=COMMANDS, words=()):
    """List the commands, each with its words and its dataclass."""
    for name, row in rows.items():
        if isinstance(row, Members):
            yield from leaves(row.rows, (*words, name))
        else:
            yield (*words, name), getattr(import_module(row.module), row.function).options


KINDS = dict(leaves())


@pytest.mark.parametrize("words", KINDS, ids=" ".join)
def test_a_command_s_parameters_are_the_fields_of_its_dataclass(words):
    """Each with the field's own default, which help shows; none can be changed on the way."""
    kind = KINDS[words]
    command = context = None
    for word in ("", *words):
        command = command.get_command(context, word) if word else typer.main.get_command(app)
        context = typer.Context(command, info_name=word, parent=context)
    parameters = [item for item in command.get_params(context) if item.name != "help"]
    shown = shown_fields(kind)
    assert [item.name for item in parameters] == [item.name for item in shown]
    assert [item.default for item in parameters if not item.required] == [
        item.default for item, parameter in zip(shown, parameters, strict=True) if not parameter.required
    ]
    options = kind(**{item.name: "x" for item, parameter in zip(shown, parameters, strict=True) if parameter.required})
    with pytest.raises(FrozenInstanceError):
        options.quiet = True


@pytest.mark.parametrize("words", KINDS, ids=" ".join)
def test_groups_name_every_option_once(words):
    """What is in none would stand under a heading of its own, and a name that is no field would be passed over."""
    kind = KINDS[words]
    grouped = [name for names in kind.GROUPS.values() for name in names]
    assert sorted(grouped) == sorted({item.name for item in shown_fields(kind)} - {"files"} if grouped else [])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_takes_all_the_names_around_it(path):
    """`locals()` hands on what no type checker sees."""
    called = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert [name.id for name in called if getattr(name, "id", "") in ("locals", "globals")] == []


def test_the_type_checker_knows_each_option(tmp_path):
    """No field of any command is `Any`, nor holds one."""
    lines = ["from typing import reveal_type"]
    lines += sorted({f"from {kind.__module__} import {kind.__name__}" for kind in KINDS.values()})
    names = []
    for kind in KINDS.values():
        lines += [f"def use_{kind.__name__}(options: {kind.__name__}) -> None:"]
        for item in fields(kind):
            lines.append(f"    reveal_type(options.{item.name})")
            names.append(f"{kind.__name__}.{item.name}")
    (tmp_path / "uses.py").write_text("\n".join(lines) + "\n")
    program = Path(sys.executable).parent / "mypy"
    words = [program, "--config-file", ROOT / "pyproject.toml", tmp_path / "uses.py"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    revealed = re.findall(r'Revealed type is "(.*)"', done.stdout)
    assert len(revealed) == len(names) > 100
    assert [name for name, kind in zip(names, revealed, strict=True) if "Any" in kind] == []


def test_every_dataclass_of_options_is_a_command_s_or_a_part_of_one():
    """None is left over."""

    def below(kind):
        yield kind
        for part in kind.__subclasses__():
            yield from below(part)

    parts = {part for kind in KINDS.values() for part in kind.__mro__}
    assert [kind for kind in below(Options) if kind.__module__.startswith("real_cli.") and kind not in parts] == []
