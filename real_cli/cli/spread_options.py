"""Options of commands whose work can be done on several devices or machines."""

from dataclasses import dataclass
from typing import Annotated

import typer

from real_cli.cli.completion_values import names_of
from real_cli.cli.option_sets import MODEL, DeviceOptions


@dataclass(frozen=True, kw_only=True)
class SpreadOptions(DeviceOptions):
    """Which devices, of this machine or of a cluster, share the work."""

    TITLE = MODEL

    devices: Annotated[
        str,
        typer.Option(
            "--devices",
            metavar="auto|all|N",
            autocompletion=names_of(("auto", "all")),
            help="How many devices share the work, a process each: 'auto' is one, 'all' are those of this machine. On "
            "a CPU N processes share its cores. The bytes are those of one.",
        ),
    ] = "auto"
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            metavar="ray[:ADDRESS]",
            show_default=False,
            help="Have a Ray cluster do the work, by default on all its GPUs: the one at ADDRESS or RAY_ADDRESS, else "
            "the one that runs here, else a new one on this machine. The extra 'cluster' installs Ray.",
        ),
    ] = None
