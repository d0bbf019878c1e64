"""Renew what is generated: `python -m real_cli.docs`; with --check, compare it."""

import sys

from real_cli.docs.man_pages import main

sys.exit(main(sys.argv[1:]))
