"""How `pair` chooses which responses of a prompt to compare: one function a strategy, one row in its file's ROWS.

STRATEGIES holds all rows. It is read off the files of this folder, so that a strategy is one file and nothing else;
`python -m real_cli.docs` renews the table of names that the help shows. Pure: numbers in, places of responses out.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from real_cli.pair.strategies.pool import Pair, Pool
from real_cli.pair.strategies.rule import KeepRule, Rule

# The order in which help lists strategies: these files, then others by name.
FIRST = ("similarity", "scores", "active")


def _rows() -> Iterator[tuple[str, Rule]]:
    names = sorted(module.name for module in iter_modules(__path__))
    for name in [*FIRST, *(name for name in names if name not in FIRST)]:
        yield from getattr(import_module(f"{__name__}.{name}"), "ROWS", {}).items()


STRATEGIES: dict[str, Rule] = dict(_rows())

__all__ = ["STRATEGIES", "KeepRule", "Pair", "Pool", "Rule"]
