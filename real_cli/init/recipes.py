"""The published methods that `real init --recipe` writes, each as the head of its Makefile tells of it.

A recipe is one file, recipes/NAME.mk. It begins with comments: a title, then fields such as `# Needs: responses`, whose
text goes on in the next lines; a line of `#` alone ends them. The Makefile's own lines say which commands it runs.
"""

import re
import textwrap
from functools import cache
from importlib.resources import files
from itertools import takewhile
from typing import NamedTuple

from real_cli.errors import RealError

PACKAGE, FOLDER, SUFFIX = "real_cli", "recipes", ".mk"
FIELD = re.compile(r"# (Paper|Formulas|Does|Needs|Departures): ")
SECTION = re.compile(r"real-methods\(7\), section (\d+)")
COMMAND = re.compile(r"\$\(REAL\) (relabel [a-z]+|eval [a-z]+|[a-z][a-z-]*)")
ASSIGNED_COMMAND = re.compile(r"^([A-Z_]+)\s*=\s*(.*\$\(REAL\).*)$", re.MULTILINE)
ASSIGNED_DATA = re.compile(r"^[A-Z_]+\s*\??=\s*(\S+\.jsonl)\s*$", re.MULTILINE)
# What project.mk runs for every recipe, before its stages and after them.
INCLUDED = "\ninclude project.mk\n"
BEFORE, AFTER = ("split",), ("pair", "eval margin")
HELDOUT = "heldout.jsonl"
# On a terminal narrower than this the list has names on lines of their own.
NARROW = 60


class Method(NamedTuple):
    """A published method as a recipe.

    Attributes:
        title: Its name in full.
        paper: Authors, year and arXiv number.
        equation: The section or equation that the recipe follows.
        section: That of real-methods(7) with its formulas; None for a method that the manual does not hold.
        does: What it does, in a line.
        needs: What must be at hand beside the policy.
        departs: Where the recipe is not what the paper did.
        commands: What it is made of, in the order of the pipe.
    """

    title: str
    paper: str
    equation: str
    section: int | None
    does: str
    needs: str
    departs: str
    commands: tuple[str, ...]


def recipe_names() -> list[str]:
    """List the recipes."""
    names = [entry.name for entry in (files(PACKAGE) / FOLDER).iterdir()]
    return sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))


@cache
def load_recipes() -> dict[str, Method]:
    """Read the head of every recipe."""
    methods = {name: read_method(name, read_makefile(name)) for name in recipe_names()}
    return dict(sorted(methods.items(), key=lambda item: (item[1].section is None, item[1].section, item[0])))


def read_makefile(name: str) -> str:
    """Read a recipe."""
    return (files(PACKAGE) / FOLDER / f"{name}{SUFFIX}").read_text(encoding="utf-8")


def read_method(name: str, makefile: str) -> Method:
    r"""Read what a Makefile says of itself.

    >>> head = "# X\n# Paper: Li, 2024, arXiv:1; eq. 2\n# Does: a\n#  b\n# Needs: c\n# Departures: d\n#\n# More.\n"
    >>> read_method("x", head + "a:\n\t$(REAL) pair -o $@\n")[:3]
    ('X', 'Li, 2024, arXiv:1', 'eq. 2')
    """
    head = list(takewhile(lambda line: re.match("# *[^ ]", line), makefile.splitlines()))
    fields: dict[str, str] = {}
    for line in head[1:]:
        match = FIELD.match(line)
        field = match[1] if match else next(reversed(fields), "")
        fields[field] = f"{fields.get(field, '')} {line[match.end() if match else 1 :].strip()}".lstrip()
    for field in ("Paper", "Does", "Needs", "Departures"):
        if not fields.get(field):
            raise RealError(f"recipes/{name}.mk: its head does not say '{field}'; write a line '# {field}: ...'")
    paper, _, equation = fields["Paper"].partition("; ")
    section = SECTION.match(fields.get("Formulas", ""))
    return Method(
        head[0].removeprefix("# "),
        paper,
        equation,
        int(section[1]) if section else None,
        fields["Does"],
        fields["Needs"],
        fields["Departures"],
        commands_of(makefile),
    )


def commands_of(makefile: str) -> tuple[str, ...]:
    r"""List the commands that `make` runs, where they run; what scores in `make check` is none of them.

    >>> commands_of("S = $(REAL) relabel goal\na:\n\t$(REAL) pair $< -o $@\nb:\n\t$(S) $< -o $@\n")
    ('pair', 'relabel goal')
    """
    assigned = dict(ASSIGNED_COMMAND.findall(makefile))
    stages = "\n".join(line for line in makefile.splitlines() if line.startswith("\t"))
    stages = re.sub(r"\$\(([A-Z_]+)\)", lambda name: assigned.get(name[1], name[0]), stages)
    before, after = (BEFORE, AFTER) if INCLUDED in makefile else ((), ())
    return tuple(dict.fromkeys((*before, *COMMAND.findall(stages), *after)))


def data_of(makefile: str) -> list[str]:
    r"""List the data that a Makefile's variables name, and those that project.mk takes for held-out.

    >>> data_of("DATA ?= prompts.jsonl\nO = run\ninclude project.mk\n$(O)/a.jsonl: $(DATA)\n")
    ['prompts.jsonl', 'heldout.jsonl']
    """
    shared = [HELDOUT] if INCLUDED in makefile else []
    return list(dict.fromkeys([*ASSIGNED_DATA.findall(makefile), *shared]))


def listing(width: int | None = None) -> str:
    """Write the recipes, a line each: name, what it does, what it needs; for a terminal folded to its width."""
    rows = [(name, method.does, method.needs) for name, method in load_recipes().items()]
    if width is not None:
        return "".join(_folded(name, f"{does}; needs {needs}", width) for name, does, needs in rows)
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "".join(f"{name:{widths[0]}}  {does:{widths[1]}}  needs {needs}\n" for name, does, needs in rows)


def _folded(name: str, text: str, width: int) -> str:
    r"""Fold a recipe's text beside its name, or below it where that leaves too little room.

    >>> _folded("sppo", "pulls the log-ratios; needs prompts", 30)
    'sppo\n  pulls the log-ratios; needs\n  prompts\n'
    """
    is_narrow = width < NARROW
    indent = 2 if is_narrow else max(map(len, recipe_names())) + 2
    lines = textwrap.wrap(text, max(width - indent, 1), break_long_words=False, break_on_hyphens=False)
    first, *rest = [" " * indent + line for line in lines]
    head = [name, first] if is_narrow else [name.ljust(indent) + first[indent:]]
    return "\n".join([*head, *rest]) + "\n"
