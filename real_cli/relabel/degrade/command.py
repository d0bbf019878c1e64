"""real relabel degrade: copies of the chosen response with more and more of its content removed."""

from dataclasses import dataclass
from typing import Annotated

import typer

from real_cli.cli.options import Seed
from real_cli.cli.shard_options import ShardOptions
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.records.record import Record


@dataclass(frozen=True, kw_only=True)
class DegradeOptions(ShardOptions):
    """The number of copies, and what each lacks."""

    levels: Annotated[
        int,
        typer.Option(
            "--levels",
            metavar="N",
            min=2,
            help="Number of degrees, the whole response's 0 among them, as train-dpo --levels counts: N - 1 copies.",
        ),
    ] = 4
    drop: Annotated[
        float,
        typer.Option(
            "--drop",
            metavar="SHARE",
            help="Share of the key words that each degree removes: degree d lacks d times it.",
        ),
    ] = 0.2
    seed: Seed = 0


@typed_command
def degrade(options: DegradeOptions) -> Status:
    """Add copies of the chosen response with fewer key words.

    Reads labeled pairs; adds 'degraded', a list of {text, degree}, which 'real train-dpo --loss spo' reads. Key words
    are found in the response itself, without a model: words of content, those in long and frequent phrases first (the
    paper's extractor is not published). Of a conversation what the assistant says is degraded. A short response has
    fewer copies: they are counted; one without any is left out, since spo refuses it. Copies that are there are
    replaced.

    Streams: a pair is written as soon as it is read.

    \b
    Examples:
      real relabel degrade pairs.jsonl | real train-dpo --policy smollm2 --loss spo -o aligned
      real relabel degrade --levels 3 --drop 0.4 pairs.jsonl
    """
    from real_cli.relabel.degrade.copies import check_levels, with_copies
    from real_cli.text.phrases import say_count

    wanted = check_levels(options.levels, options.drop)
    job = options.job()

    def degraded(record: Record) -> tuple[Record, Record]:
        return record, with_copies(record, wanted, options.seed)

    num_pairs = num_copies = num_short = 0
    with job:
        for place, (record, pair) in job.apply(degraded, job.records()):
            if not pair["degraded"]:
                job.drop(place, record, "too short for a degraded copy")
                continue
            job.write(pair)
            num_pairs += 1
            num_copies += len(pair["degraded"])
            num_short += len(pair["degraded"]) < options.levels - 1
        job.summary = f"{say_count(num_pairs, 'pair')}, {say_count(num_copies, 'copy', 'copies')}"
        if num_short:
            short = say_count(num_short, "short response")
            job.summary += f"; fewer than {options.levels - 1} copies of {short}"
    return job.status
