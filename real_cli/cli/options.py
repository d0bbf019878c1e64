"""Options that several commands share, each declared once: its name, its range and its help."""

from pathlib import Path
from typing import Annotated

import typer

from real_cli.cli.completion_values import language_model_names
from real_cli.records.choices import Attention

OutputFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        show_default=False,
        help="Write here instead of standard output; the file appears whole or not at all.",
    ),
]
MaxLineBytes = Annotated[int, typer.Option("--max-line-bytes", metavar="N", min=1, help="Longest line to accept.")]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        show_default=False,
        help="Write a report with plots here, one file that needs no network; the extra 'report' draws them.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, max=2**63 - 1, help="Seed of every random choice.")]
MaxResponses = Annotated[
    int,
    typer.Option(
        "--max-responses",
        metavar="N",
        min=2,
        help="Most responses of a prompt to compare all with all; memory grows with their square.",
    ),
]
AttentionName = Annotated[
    Attention, typer.Option("--attention", help="How attention is computed; 'auto' is what transformers chooses.")
]
Reference = Annotated[
    str | None,
    typer.Option(
        "--reference",
        "-r",
        metavar="NAME",
        show_default=False,
        autocompletion=language_model_names,
        help="The model to compare with, named as --policy is. Without it, log-probabilities that the records carry.",
    ),
]
ExportLogps = Annotated[
    Path | None,
    typer.Option(
        "--export-logps",
        metavar="FILE",
        show_default=False,
        help="Write the records with ref_chosen_logps and ref_rejected_logps; a later run on them needs no reference.",
    ),
]
ScoreField = Annotated[
    str,
    typer.Option(
        "--field",
        metavar="NAME",
        help="The field of a response that takes the score; another name keeps the scores of several models.",
    ),
]
