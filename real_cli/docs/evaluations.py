"""Generated from the evaluations of `real eval`: the light table of their commands."""

import inspect
import json
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

from real_cli import evaluate
from real_cli.docs.roff import joined

FACES = "real_cli/evaluate/faces.py"
HEAD = '''"""The evaluations of `real eval`, for a help that loads none; made by `python -m real_cli.docs`."""

# By name: the module of its command, and the first sentence of its help.
FACES: dict[str, tuple[str, str]] = {
'''


def evaluation_faces() -> str:
    """Make the light table as Python."""
    return HEAD + "".join(_row(*face) for face in _faces()) + "}\n"


def _faces() -> Iterator[tuple[str, str, str]]:
    """Find each `evaluate/NAME.py` and `evaluate/NAME/command.py` with a command NAME."""
    for module in iter_modules(evaluate.__path__, f"{evaluate.__name__}."):
        path = f"{module.name}.command" if module.ispkg else module.name
        name = module.name.rpartition(".")[2]
        face = getattr(import_module(path), name, None) if find_spec(path) else None
        if hasattr(face, "__signature__"):  # typed_command gives it one
            yield name.replace("_", "-"), path, joined((inspect.getdoc(face) or "").partition("\n\n")[0])


def _row(name: str, path: str, summary: str) -> str:
    lines = [f"    {json.dumps(name)}: (", f"        {json.dumps(path)},"]
    lines += [f"        {json.dumps(summary, ensure_ascii=False)},", "    ),"]
    return "\n".join(lines) + "\n"
