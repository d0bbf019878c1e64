"""Run the command line with `python -m real_cli`."""

from real_cli.commands.app import main

main()
