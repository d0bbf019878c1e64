"""real split: hold some prompts out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from real_cli.cli.option_sets import StreamOptions
from real_cli.cli.options import Seed
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.split.choices import Side, Written


@dataclass(frozen=True, kw_only=True)
class SplitOptions(StreamOptions):
    """What is held out, and which side is written."""

    heldout: Annotated[
        str,
        typer.Option(
            "--heldout",
            metavar="SHARE|FILE",
            show_default=False,
            help="What is held out: a share of the prompts, as 10%, or the prompts of a file.",
        ),
    ]
    part: Annotated[Side, typer.Option("--part", help="The side to write.")] = Side.train
    emit: Annotated[
        Written,
        typer.Option(
            "--emit",
            help="'records' as they are, or 'prompts': each prompt once, without responses, for 'real sample'.",
        ),
    ] = Written.records
    first: Annotated[
        int | None,
        typer.Option("--first", metavar="N", min=1, show_default="all", help="Write the first N of that side."),
    ] = None
    seed: Seed = 0


@typed_command
def split(options: SplitOptions) -> Status:
    """Hold prompts out of training.

    Writes one side of a split by prompt: the records to train on or, with --part heldout, those to measure with. A
    record is written as it stands, whatever its layout. Which side it is on follows from its prompt and the seed, so
    the same prompt is never on both: case, spaces and system messages make no difference, and conversations that begin
    with the same question stay together. A share is that of the distinct prompts, rounded
    down; where there are two, each side has one at least.

    With a file, the prompts that stand in it are held out: the training side is the records with other prompts.

    Buffers, with a share: the records are spooled to disk, and memory holds 8 bytes of each. With a file it streams,
    and memory holds the file's prompts.

    \b
    Examples:
      real split --heldout 10% pairs.jsonl > train.jsonl
      real split --heldout 10% --part heldout pairs.jsonl > heldout.jsonl
      real split --heldout benchmark.jsonl --emit prompts pairs.jsonl > asked.jsonl
    """
    from real_cli.split.sides import parse_share
    from real_cli.split.splitter import Splitter

    share = parse_share(options.heldout)
    path = Path(options.heldout) if share is None else None
    job = options.job(also_reads=[("--heldout", path)])
    with job:
        splitter = Splitter(job, share or options.heldout, options.part, options.seed)
        job.summary = splitter.write(options.emit, options.first)
    return job.status
