"""Renew what is generated: `python -m real_cli.docs`; with --check, compare it."""

import os
import sys
from pathlib import Path

from real_cli.docs.light_tables import renew_light_tables

# For the second of two processes: the first renewed what the command line offers.
AGAIN = "--again"


def main(arguments: list[str]) -> int:
    """Renew or compare; the light tables first, since the pages are made from commands that read them."""
    if not arguments and renew_light_tables(Path(__file__).parents[2]):
        os.execv(sys.executable, [sys.executable, "-m", "real_cli.docs", AGAIN])
    from real_cli.docs import man_pages

    return man_pages.main(arguments)


sys.exit(main(sys.argv[1:]))
