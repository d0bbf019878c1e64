"""real relabel shape: what a score becomes before anything learns from it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.option_sets import ScoredStreamOptions
from real_cli.cli.shard_options import ShardOptions
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.records.record import Record
from real_cli.relabel.shape.choices import FREE_LENGTH, REFERENCE_SCORES, STEEPNESS, Shaping

if TYPE_CHECKING:
    from real_cli.io.job import Job
    from real_cli.relabel.shape.by_record import Shaper


@dataclass(frozen=True, kw_only=True)
class ShapeOptions(ShardOptions, ScoredStreamOptions):
    """How scores are shaped, and against what."""

    method: Annotated[
        Shaping,
        typer.Option(
            "--method",
            help="Against reference scores r_ref of the prompt: par, the mean of sigmoid(k (r - r_ref)); centered, "
            "tanh, arctan, polynomial, sgfc, lsc. By itself: ceiling. By statistics of the whole input: clip (to mean "
            "+- std), standardize, min-max.",
        ),
    ] = Shaping.par
    references: Annotated[
        str | None,
        typer.Option(
            "--references",
            metavar="FIELD",
            show_default=REFERENCE_SCORES,
            help="The record's field with the scores of reference responses: a list of numbers, or one.",
        ),
    ] = None
    k: Annotated[
        float | None, typer.Option("--k", metavar="X", show_default=f"{STEEPNESS:g}", help="Steepness of --method par.")
    ] = None
    ceiling: Annotated[
        float | None,
        typer.Option("--ceiling", metavar="X", show_default=False, help="The largest score of --method ceiling."),
    ] = None
    length_penalty: Annotated[
        float,
        typer.Option(
            "--length-penalty",
            metavar="X",
            help="Take this off the score, before shaping, for each token beyond --free-length; 0 is off, the paper's "
            "code has 0.01. Lengths are read from 'length' or 'num_tokens' of each response.",
        ),
    ] = 0.0
    free_length: Annotated[
        int | None,
        typer.Option(
            "--free-length",
            metavar="N",
            min=0,
            show_default=str(FREE_LENGTH),
            help="Tokens that cost nothing under --length-penalty.",
        ),
    ] = None


@typed_command
def shape(options: ShapeOptions) -> Status:
    """Bound or center the score of each response.

    Reads candidates or pairs with scores and, for most methods, 'reference_scores' on the record; replaces 'score' and
    adds 'raw_score' (score_chosen, raw_score_chosen, ... of a pair). A response that has 'raw_score' is shaped from
    that: shaping twice is shaping once.

    Streams: a record is written as soon as it is read. The methods clip, standardize and min-max buffer, because their
    statistics are of the whole input (the official code's are running ones and depend on its order).

    \b
    Examples:
      real relabel shape scored.jsonl | real pair --strategy best-worst > pairs.jsonl
      real relabel shape --method standardize scored.jsonl
      real relabel shape --length-penalty 0.01 --k 2 scored.jsonl
    """
    from real_cli.relabel.shape.by_record import Knobs, LengthPenalty, Shaper

    penalty = LengthPenalty(options.length_penalty, options.free_length)
    shaper = Shaper(
        options.method, references=options.references, knobs=Knobs(options.k, options.ceiling), penalty=penalty
    )
    reason = f"--method {options.method} takes statistics of all scores; put the shards together first: real merge"
    of_the_whole = options.refuse_shard({reason: shaper.needs_all})
    job = options.job(numbers=[options.references] if options.references else [])
    job.refuse_parts(of_the_whole)
    with job:
        for record in shaped(job, shaper):
            job.write(record)
        job.summary = shaper.sentence()
    return job.status


def shaped(job: "Job", shaper: "Shaper") -> Iterator[Record]:
    """Shape the records of a job; if the shaper needs all scores first, records wait on disk."""
    from real_cli.records.layouts import adapt_unread

    if not shaper.needs_all:
        yield from (record for _, record in job.apply(shaper.shape, job.records(adapt_unread)))
        return

    from array import array

    import numpy as np
    import orjson

    from real_cli.io.two_pass import ValueSpool
    from real_cli.relabel.shape.by_input import Statistics

    scores = array("d")
    with ValueSpool() as spool:
        for _, (record, values) in job.apply(lambda record: (record, shaper.read(record)), job.records(adapt_unread)):
            scores.extend(values)
            spool.add(record, 0.0)
        if not scores:
            return
        statistics = Statistics.of(np.array(scores))
        for line in spool.lines(np.ones(len(spool), dtype=bool)):
            yield shaper.shape(orjson.loads(line), statistics)
