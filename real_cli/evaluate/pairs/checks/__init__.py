"""What `real eval pairs` checks: a row a check in the ROWS of these files; CHECKS holds all, read off the folder."""

from importlib import import_module
from pkgutil import iter_modules

from real_cli.evaluate.pairs.checks.check import Check, Finding, PairView

_FILES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
CHECKS: tuple[Check, ...] = tuple(row for file in _FILES for row in getattr(file, "ROWS", ()))

__all__ = ["CHECKS", "Check", "Finding", "PairView"]
