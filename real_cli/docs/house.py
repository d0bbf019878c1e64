"""The README's tree of the package: a line a room, from each room's docstring."""

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# From the kernel up, as imports may go.
KERNEL = ("records", "text", "stats", "io", "report", "models", "llm", "cluster", "cli")
COMMANDS = ("split", "sample", "embed", "pair", "relabel", "merge", "train", "soup", "evaluate", "init", "help")
DATA = {"recipes": "Published methods as Makefiles (data)", "rubrics": "What judges are asked, in TOML (data)"}


def house_tree() -> str:
    """Draw the tree in a Markdown fence."""
    lines = [
        "```text",
        "real_cli/",
        "  app.py       The table of commands",
        "  errors.py    What can go wrong, and the exit status each leaves",
    ]
    for title, rooms in (("the kernel, lowest first", KERNEL), ("the commands", COMMANDS), ("beside them", ("docs",))):
        lines += [f"  # {title}", *(f"  {f'{room}/':12} {_says(room)}" for room in rooms)]
    return "\n".join([*lines, *(f"  {f'{name}/':12} {text}" for name, text in DATA.items()), "```"])


def _says(room: str) -> str:
    """Return a room's first sentence, up to what it lists; a command's room begins with the command."""
    tree = ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))
    sentence = (ast.get_docstring(tree) or "").splitlines()[0].split(". ")[0].rstrip(".")
    return sentence if sentence.startswith("`") else re.split("[:;]", sentence)[0]
