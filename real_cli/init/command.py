"""real init: a worked project."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from real_cli.cli.option_sets import Options
from real_cli.cli.synonyms import OTHERS_VALUES
from real_cli.cli.typed_command import typed_command
from real_cli.errors import RealError, Status, UsageError, none_of
from real_cli.init.recipes import FOLDER, PACKAGE, SUFFIX, data_of, listing, read_makefile, recipe_names
from real_cli.io.progress import say

DEMO = "init/demo/Makefile"
LOCK = "init/demo/lock.mk"
DEMO_DATA = ("candidates.jsonl", "heldout.jsonl")
# What a recipe's Makefile includes and runs.
PROJECT = ("project.mk", "config.mk", "serve.sh", "plan.sh")


@dataclass(frozen=True, kw_only=True)
class InitOptions(Options):
    """Which project is written, and where."""

    folder: Annotated[Path | None, typer.Argument(metavar="DIR", show_default=False, help="The folder to make.")] = None
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe",
            metavar="NAME",
            show_default=False,
            autocompletion=recipe_names,
            help="A published method; --list says which there are.",
        ),
    ] = None
    list_recipes: Annotated[
        bool, typer.Option("--list", help="Write the recipes, a line each: name, what it does and needs; and stop.")
    ] = False


@typed_command
def init(options: InitOptions) -> Status:
    """Write a worked project: a Makefile that runs the whole pipe on bundled data.

    The data are prompts whose answers a program can check, six responses to each sampled from SmolLM2-135M-Instruct,
    and the checker's scores; some prompts are held out and never trained on. `make` ends with the held-out accuracy and
    margin of the policy before and after. Change the Makefile, put your own data in place, and it is your project. A
    second `make` in it, while one is at work, stops at a lock.

    With --recipe it is one of the published methods, with its settings as variables at the top. `make` runs it, with
    run/eval.json at the end; `make check` runs it small, in two minutes on two cores and without a network;
    `make DATA=../mine.jsonl POLICY=../sft` runs it on your own data and model, and `make plan` says beforehand what is
    to be done. real-recipes(7) describes each, and its variables: DATA and HELDOUT, POLICY, EXTRA (more options of
    train-dpo), ENDPOINT and MODEL of a judge, REPORT, O (the folder of the run). Set them in config.mk or on make's
    command line.

    \b
    Examples:
      real init demo && make -C demo
      real init --list | grep judge
      real init sppo --recipe sppo && make -C sppo check
    """
    folder = options.folder
    if options.list_recipes and (folder is not None or options.recipe is not None):
        raise UsageError("--list writes the recipes and no folder; leave out DIR and --recipe")
    if options.list_recipes:
        from real_cli.io.output import standard_output

        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        with standard_output() as stream:
            stream.write(listing(width).encode())
        return Status.done
    if folder is None:
        raise UsageError("DIR is missing; name the folder to make, or give --list")
    write_project(folder, _sources(options.recipe))
    if not options.quiet:
        say(f"{folder}: written; run it with: make -C {folder}")
    return Status.done


def _sources(recipe: str | None) -> dict[str, list[str]]:
    """Name the Makefile and the data that go with it."""
    if recipe is None:
        return {"Makefile": [DEMO, LOCK]} | {name: [f"init/demo/data/{name}"] for name in DEMO_DATA}
    if recipe not in recipe_names():
        raise UsageError(f"--recipe: {none_of(recipe, recipe_names(), OTHERS_VALUES['--recipe'])}")
    data = data_of(read_makefile(recipe))
    shared = {name: [f"init/project/{name}"] for name in PROJECT}
    data_files = {name: [f"init/demo/data/{name}"] for name in data}
    return {"Makefile": [f"{FOLDER}/{recipe}{SUFFIX}", LOCK]} | shared | data_files


def write_project(folder: Path, sources: Mapping[str, Sequence[str]]) -> None:
    """Copy files that the package carries into a new folder."""
    from real_cli.io.folders import open_folder

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RealError(f"{folder}: exists and is not empty; name another folder")
    with open_folder(folder, "") as part:
        for name, paths in sources.items():
            with (part / name).open("wb") as file:
                for path in paths:
                    with (files(PACKAGE) / path).open("rb") as source:
                        shutil.copyfileobj(source, file)
