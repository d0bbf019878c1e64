"""Options that several commands share, each declared once: its name, its range and its help."""

from pathlib import Path
from typing import Annotated

import typer

from real_cli.records.choices import BATCH_TOKENS, Attention, InputFormat, OnError, Precision, TokenLayout

Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE",
        show_default=False,
        help="Records: JSONL or .csv (gzip and zstd too), .parquet, or hf:NAME[:SPLIT]; '-', the default, is standard "
        "input.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        show_default=False,
        help="Write here instead of standard output; the file appears whole or not at all.",
    ),
]
OnErrorOption = Annotated[
    OnError,
    typer.Option("--on-error", help="What a bad record does: 'fail' stops the run, 'skip' goes on and exits 3."),
]
Rejects = Annotated[
    Path | None,
    typer.Option(
        "--rejects",
        metavar="FILE",
        show_default=False,
        help="Write records that are left out here, each with its place and the reason.",
    ),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        show_default=False,
        help="Write a report with plots here, one file that needs no network; pip install 'real-cli[report]'.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on standard error unless something fails.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, max=2**63 - 1, help="Seed of every random choice.")]
InputFormatOption = Annotated[
    InputFormat | None,
    typer.Option(
        "--format",
        show_default="by the file's name",
        help="What the records come as: 'jsonl', 'csv' (the first line names the columns) or 'tsv'.",
    ),
]
ScoreName = Annotated[
    str | None,
    typer.Option(
        "--score",
        metavar="FIELD",
        show_default=False,
        help="Which field of a response is its score, where there are several ratings: FIELD_chosen and FIELD_rejected "
        "of a pair. A score that was there stays as 'score_field'.",
    ),
]
MaxLineBytes = Annotated[int, typer.Option("--max-line-bytes", metavar="N", min=1, help="Longest line to accept.")]
MaxResponses = Annotated[
    int,
    typer.Option(
        "--max-responses",
        metavar="N",
        min=2,
        help="Most responses of a prompt to compare all with all; memory grows with their square.",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="NAME",
        help="Where models run: 'auto' takes the freest accelerator, else the CPU; or cpu, cuda:1, mps, ...",
    ),
]
Dtype = Annotated[
    Precision,
    typer.Option(
        "--dtype", help="Number format of the model; 'auto' is bfloat16 where the hardware does it well, else float32."
    ),
]
MaxLength = Annotated[
    int,
    typer.Option(
        "--max-length",
        metavar="N",
        min=2,
        help="Most tokens of prompt and response; longer responses are cut, counted and told.",
    ),
]
Reference = Annotated[
    str | None,
    typer.Option(
        "--reference",
        "-r",
        metavar="NAME",
        show_default=False,
        help="The model to compare with, named as --policy is. Without it, log-probabilities that the records carry.",
    ),
]
Base = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="NAME",
        show_default=False,
        help="The model below a LoRA adapter, in place of the one that its folder names. Needed where that one would "
        "have to be downloaded.",
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
BatchTokens = Annotated[
    int | None,
    typer.Option(
        "--batch-tokens",
        metavar="N",
        min=1,
        show_default=str(BATCH_TOKENS),
        help="Most tokens, padding counted, in one forward pass.",
    ),
]
Layout = Annotated[
    TokenLayout,
    typer.Option(
        "--layout",
        help="How a prompt and its responses are run: 'shared' runs the prompt once for all of them, 'plain' once for "
        "each; 'auto' shares it where a test on load gives the same numbers.",
    ),
]
AttentionOption = Annotated[
    Attention, typer.Option("--attention", help="How attention is computed; 'auto' is what transformers chooses.")
]
