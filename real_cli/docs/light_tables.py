"""The light tables: modules that hold names of heavy tables, for help and for the table of commands."""

from pathlib import Path

from real_cli.docs.evaluations import FACES, evaluation_faces
from real_cli.docs.loss_table import loss_tables
from real_cli.docs.strategies import NAMES, strategy_names


def light_tables() -> dict[str, str]:
    """Make all light tables: paths below the repository's root, and contents."""
    return {FACES: evaluation_faces(), NAMES: strategy_names(), **loss_tables()}


def renew_light_tables(root: Path) -> bool:
    """Write the tables that differ; tell whether there were any, which this process has already imported."""
    stale = {name: text for name, text in light_tables().items() if (root / name).read_text(encoding="utf-8") != text}
    for name, text in stale.items():
        (root / name).write_text(text, encoding="utf-8")
    return bool(stale)
