"""real relabel weight: how much each pair weighs in the loss."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

import typer

from real_cli.cli.option_sets import ScoredStreamOptions
from real_cli.cli.shard_options import ShardOptions
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.records.choices import TEMPERATURE
from real_cli.records.record import Record
from real_cli.relabel.weight.choices import Negative, Normalization, WeightRule


@dataclass(frozen=True, kw_only=True)
class WeightOptions(ShardOptions, ScoredStreamOptions):
    """How scores become weights, and which weights are allowed."""

    by: Annotated[
        WeightRule | None,
        typer.Option(
            "--by",
            show_default=WeightRule.reward_difference,
            help="How scores become a weight: the gap in score over T (RDO), or sigmoid(gap / T) (OPTune; the form is "
            "ours, the paper's is unverified).",
        ),
    ] = None
    expression: Annotated[
        str | None,
        typer.Option(
            "--expression",
            metavar="TEXT",
            show_default=False,
            help="Arithmetic over the record's number fields instead: a.b, a['b'], + - * / % **, comparisons (1 or 0), "
            "abs, min, max, sqrt, log, exp, sigmoid, tanh, clip(x, lo, hi).",
        ),
    ] = None
    temperature: Annotated[
        float | None,
        typer.Option(
            "--temperature", metavar="T", show_default=f"{TEMPERATURE:g}", help="What the gap in score is divided by."
        ),
    ] = None
    negative: Annotated[
        Negative | None,
        typer.Option(
            "--negative",
            show_default=Negative.clip,
            help="What a negative weight does, which would turn learning into unlearning: 'clip' makes it 0, 'refuse' "
            "makes the record bad, 'keep' leaves it, and train-dpo refuses it. No option of gap-utility, whose weights "
            "are never negative.",
        ),
    ] = None
    bounds: Annotated[
        tuple[float, float] | None,
        typer.Option("--clip", metavar="LO HI", show_default=False, help="Least and largest weight."),
    ] = None
    normalize: Annotated[
        Normalization,
        typer.Option(
            "--normalize",
            help="What becomes of all weights together, last of all: 'mean' makes their mean 1, 'min-max' puts them "
            "from 0 to 1. Both buffer on disk until the input ends.",
        ),
    ] = Normalization.none


@typed_command
def weight(options: WeightOptions) -> Status:
    """Weigh each pair by the gap between its scores.

    Reads pairs with score_chosen and score_rejected, or with the fields that --expression names; adds 'weight', which
    'real train-dpo --weight-field weight' reads. Labels that disagree with the scores are counted; their weight, the
    gap, is negative and made 0. Under gap-utility it is below 1/2, and stays. train-dpo scales weights to mean 1
    itself; --normalize is for other readers.

    Streams: a pair is written as soon as it is read. With --normalize it buffers, because the mean and the range are
    known only at the end.

    \b
    Examples:
      real relabel weight pairs.jsonl | real train-dpo --policy smollm2 --weight-field weight -o aligned
      real relabel weight --by gap-utility --temperature 2 pairs.jsonl
      real relabel weight --expression 'sqrt(score_chosen - score_rejected) * (votes > 3)' pairs.jsonl
    """
    from real_cli.records.layouts import adapt_unread
    from real_cli.relabel.weight.weights import Weigher

    weigher = Weigher(
        options.by,
        expression=options.expression,
        temperature=options.temperature,
        negative=options.negative,
        bounds=options.bounds,
    )
    reason = f"--normalize {options.normalize} is over all weights; put the shards together first: real merge"
    of_the_whole = options.refuse_shard({reason: options.normalize is not Normalization.none})
    job = options.job(numbers=weigher.fields)
    job.refuse_parts(of_the_whole)
    with job:
        valued = job.apply(lambda record: (record, weigher(record)), job.records(adapt_unread))
        for pair in weighed((pair for _, pair in valued), options.normalize):
            job.write(pair)
        job.summary = weigher.sentence()
    return job.status


def weighed(pairs: Iterable[tuple[Record, float]], normalization: Normalization) -> Iterator[Record]:
    """Put weights on pairs; normalized ones wait on disk for the last pair."""
    import numpy as np
    import orjson

    from real_cli.io.two_pass import ValueSpool
    from real_cli.relabel.weight.weights import NORMALIZATIONS

    scale = NORMALIZATIONS[normalization]
    if scale is None:
        yield from (record | {"weight": weight} for record, weight in pairs)
        return
    with ValueSpool() as spool:
        for record, weight in pairs:
            spool.add(record, weight)
        if len(spool):
            weights = scale(spool.values).tolist()
            lines = spool.lines(np.ones(len(spool), dtype=bool))
            for line, weight in zip(lines, weights, strict=True):
                yield orjson.loads(line) | {"weight": weight}
