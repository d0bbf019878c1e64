"""Renew what is generated: `python -m real_cli.docs`; with --check, compare it."""

import sys
from pathlib import Path

from real_cli.docs.loss_table import renew_light_tables


def main(arguments: list[str]) -> int:
    """Renew or compare; the light tables first, since the pages are made from a command that reads them."""
    if not arguments:
        renew_light_tables(Path(__file__).parents[2])
    from real_cli.docs import man_pages

    return man_pages.main(arguments)


sys.exit(main(sys.argv[1:]))
