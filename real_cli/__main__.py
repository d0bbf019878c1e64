"""Run the command line with `python -m real_cli`."""

from real_cli.app import main

main()
