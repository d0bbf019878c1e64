"""What a recipe's Makefile says of itself, and the list of all recipes."""

import re

from real_cli.init.recipes import RECIPES

ASSIGNED_DATA = re.compile(r"^[A-Z_]+\s*=\s*(\S+\.jsonl)\s*$", re.MULTILINE)
COMMAND = re.compile(r"\$\(REAL\) (relabel [a-z]+|eval [a-z]+|[a-z][a-z-]*)")


def data_of(makefile: str) -> list[str]:
    r"""List the data that a Makefile's variables name.

    Args:
        makefile: Its text.

    Returns:
        Names of JSONL files, as they come.

    Example:
        >>> data_of("PROMPTS = prompts.jsonl\nO = run\n$(O)/a.jsonl: $(PROMPTS)\n")
        ['prompts.jsonl']
    """
    return ASSIGNED_DATA.findall(makefile)


def commands_of(makefile: str) -> set[str]:
    r"""Collect the commands that `make` runs; what scores in `make check` is none of them.

    Args:
        makefile: Its text.

    Returns:
        Their words, without `real`.

    Example:
        >>> sorted(commands_of("a:\n\t$(REAL) relabel goal $< | $(REAL) pair -o $@\n"))
        ['pair', 'relabel goal']
    """
    return set(COMMAND.findall(makefile.partition("\ncheck:")[0]))


def listing() -> str:
    """Write the recipes for people, a line each: name, what it does, what it needs.

    Returns:
        Lines of text in three columns.
    """
    rows = [(name.value, method.does, method.needs) for name, method in RECIPES.items()]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "".join(f"{name:{widths[0]}}  {does:{widths[1]}}  needs {needs}\n" for name, does, needs in rows)
