"""real init: a worked project."""

from pathlib import Path
from typing import Annotated

import typer

from real_cli.commands.guard import guarded
from real_cli.commands.options import Quiet
from real_cli.errors import Status
from real_cli.streams.progress import say
from real_cli.streams.project import write_project

FILES = ("Makefile", "data/candidates.jsonl", "data/heldout.jsonl")


@guarded
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", show_default=False, help="The folder to make.")],
    *,
    quiet: Quiet = False,
) -> Status:
    """Write a worked project: a Makefile that runs the whole pipe on bundled data.

    The data are prompts whose answers a program can check, six responses to each sampled from SmolLM2-135M-Instruct,
    and the checker's scores; some prompts are held out and never trained on. `make` ends with the held-out accuracy and
    margin of the policy before and after. Change the Makefile, put your own data in place, and it is your project.

    \b
    Examples:
      real init demo && make -C demo
    """
    write_project(folder, "real_cli.demo", FILES)
    if not quiet:
        say(f"{folder}: written; run it with: make -C {folder}")
    return Status.done
