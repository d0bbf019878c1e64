"""real pair: choose which responses of a prompt to compare."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.completion_values import names_of
from real_cli.cli.option_sets import ScoredStreamOptions
from real_cli.cli.options import MaxResponses, Seed
from real_cli.cli.shard_options import ShardOptions
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status, UsageError
from real_cli.pair.choices import (
    AEPO_LAMBDA,
    DEFAULT_STRATEGY,
    DEVIATIONS,
    MEASURES,
    QUANTILE,
    Emit,
    Orient,
    Strategy,
    list_strategies,
)
from real_cli.records.choices import MAX_RESPONSES

if TYPE_CHECKING:
    from real_cli.io.job import Job, Located
    from real_cli.pair.choose import Settings
    from real_cli.pair.options import KeepOrder
    from real_cli.pair.savings import Savings


@dataclass(frozen=True, kw_only=True)
class PairOptions(ShardOptions, ScoredStreamOptions):
    """What to choose, and what to keep of it."""

    strategy: Annotated[
        Strategy | None,
        typer.Option(
            "--strategy",
            "-s",
            show_default=DEFAULT_STRATEGY,
            help=f"How to choose. {list_strategies()}",
        ),
    ] = None
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="SHARE%|N",
            show_default=False,
            help="Keep this share, or this many, of all chosen pairs. Buffers on disk until the input ends.",
        ),
    ] = None
    keys_to: Annotated[
        Path | None,
        typer.Option(
            "--keys-to",
            metavar="FILE",
            show_default=False,
            help="With --keep, on one shard whose records are numbered: write no pairs, but here the number of each "
            "that --keep sorts by. The first of two passes.",
        ),
    ] = None
    keys_from: Annotated[
        Path | None,
        typer.Option(
            "--keys-from",
            metavar="FOLDER",
            show_default=False,
            help="With --keep, on one shard: keep what one run on all shards would, by the keys of each, which are the "
            "files of this folder. The second pass.",
        ),
    ] = None
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="NAME",
            show_default="the strategy's own",
            autocompletion=names_of(MEASURES),
            help="What --keep sorts by: similarity, score-gap, rejected-length (characters), random, or a field that "
            "holds a number; or mean-score or score-variance, of all responses of the prompt, which it adds.",
        ),
    ] = None
    lowest: Annotated[
        bool | None,
        typer.Option("--lowest/--highest", show_default="the strategy's own", help="Which end --keep keeps."),
    ] = None
    nearest: Annotated[
        float | None,
        typer.Option(
            "--nearest",
            metavar="X",
            show_default=False,
            help="Let --keep keep the pairs whose number is nearest to X, for neither the lowest nor the highest.",
        ),
    ] = None
    emit: Annotated[
        Emit,
        typer.Option(
            "--emit",
            help="'pairs'; 'triples' puts the best response into 'reference' and chooses among the others; 'ranking' "
            "writes all responses, best first; 'prompts' writes what --dedup-distance leaves, with responses or "
            "without.",
        ),
    ] = Emit.pairs
    orient: Annotated[
        Orient,
        typer.Option(
            "--orient",
            help="What says which response of a pair is better, after the choice; 'auto' takes "
            "ranks (a label that is there), else scores; "
            "'none' leaves pairs unlabeled for annotators.",
        ),
    ] = Orient.auto
    curriculum: Annotated[
        bool, typer.Option("--curriculum", help="Add 'stage': 1 for the widest score gap of a prompt, then 2, ...")
    ] = False
    aepo_lambda: Annotated[
        float,
        typer.Option("--aepo-lambda", metavar="X", min=0, help="Weight of diversity in --strategy aepo."),
    ] = AEPO_LAMBDA
    deviations: Annotated[
        float,
        typer.Option(
            "--deviations",
            metavar="X",
            min=0,
            max=1000,
            help="How many score_std a bound lies from its score, in the strategies that read score_std.",
        ),
    ] = DEVIATIONS
    quantile: Annotated[
        float,
        typer.Option(
            "--quantile",
            metavar="X",
            min=0,
            max=1,
            help="Which gap --strategy delta-quantile takes; 0 is the widest.",
        ),
    ] = QUANTILE
    dedup_distance: Annotated[
        float | None,
        typer.Option(
            "--dedup-distance",
            metavar="D",
            show_default=False,
            help="First leave out each prompt with an earlier one nearer than D, by the embeddings of 'real embed "
            "--field prompt': squared distance of unit vectors, 2(1-cos); Magpie's is 0.05, a cosine of 0.975. Buffers "
            "on disk; adds min_neighbor_distance, repeat_count and min_similar_id.",
        ),
    ] = None
    max_responses: MaxResponses = MAX_RESPONSES
    seed: Seed = 0


@typed_command
def pair(options: PairOptions) -> Status:
    """Choose which responses of a prompt to compare, before anyone labels them.

    Reads candidates (prompt, responses) or pairs (prompt, chosen, rejected); writes pairs. Where scores or ranks are
    known the pair is labeled after it is chosen; else it stays a candidates record with two responses. Equal texts,
    equal scores and single responses make no pair: they are counted, told, and kept with --rejects.

    Streams: a pair is written as soon as its prompt is read. With --keep or --dedup-distance it buffers, because which
    pairs or prompts stay is known only at the end. Of shards --keep is two passes, each of which streams: --keys-to
    on every shard, then --keys-from.

    \b
    Examples:
      real embed candidates.jsonl | real pair --strategy easy --keep 35% > pairs.jsonl
      real pair --strategy best-vs-rest --curriculum scored.jsonl > stages.jsonl
      real pair --orient none embedded.jsonl > to-label.jsonl
      real embed --field prompt asked.jsonl | real pair --dedup-distance 0.05 --emit prompts > distinct.jsonl
      real pair --strategy delta-ucb --orient none predicted.jsonl | real relabel judge -m judge > pairs.jsonl
    """
    from real_cli.pair.choose import Settings
    from real_cli.pair.options import check_settings, default_strategy, plan_keep
    from real_cli.pair.savings import Savings

    settings = Settings(
        strategy=options.strategy or default_strategy(options.curriculum),
        orient=options.orient,
        emit=options.emit,
        curriculum=options.curriculum,
        aepo_lambda=options.aepo_lambda,
        width=options.deviations,
        quantile=options.quantile,
        seed=options.seed,
        max_responses=options.max_responses,
        by=options.by or "",
    )
    check_settings(
        settings,
        strategy_given=options.strategy is not None,
        keep=options.keep,
        given=options.flags_given("aepo_lambda", "deviations", "quantile"),
        distance=options.dedup_distance,
    )
    order = plan_keep(options.keep, options.by, options.lowest, settings, options.nearest)
    of_the_whole = _check_shards(options)
    savings = Savings()
    job = options.job(
        numbers=[options.by] if options.by else [], also_writes=[options.keys_to], also_reads=_side_inputs(options)
    )
    job.refuse_parts(of_the_whole)
    keep = _keeper(job, order, settings, options)
    with job:
        chosen = _chosen_pairs(job, settings, savings, options.dedup_distance)
        for savings.num_chosen, line in enumerate(keep(chosen), 1):
            job.write_line(line)
        job.summary = savings.sentence(options.emit) if options.keys_to is None else f"{options.keys_to}: keys written"
    return job.status


def _check_shards(options: PairOptions) -> str:
    """Refuse what a shard cannot do alone, and a pass over shards without what it is about; say why it cannot."""
    passes, compares = options.flags_given("keys_to", "keys_from"), options.dedup_distance is not None
    of_the_whole = options.refuse_shard(
        {
            "--keep is of all pairs; write the keys of each shard with --keys-to, then give --keys-from": (
                options.keep is not None and not passes
            ),
            "--dedup-distance compares all prompts; put the shards together first: real merge": compares,
        }
    )
    if len(passes) > 1:
        raise UsageError(f"{', '.join(passes)}: each is a pass over the shards; give one of them")
    if passes and options.keep is None:
        raise UsageError(f"{passes[0]}: is about what --keep keeps of several shards; give --keep too")
    if passes and compares:
        raise UsageError(f"{passes[0]}: --dedup-distance compares all prompts; leave one of the two out")
    if options.keys_to is not None and options.output is not None:
        raise UsageError("--keys-to: no pairs are written; leave out --output")
    return of_the_whole


def _side_inputs(options: PairOptions) -> list[tuple[str, Path | None]]:
    if options.keys_from is None:
        return []
    from real_cli.pair.shard_keys import key_files

    return [("--keys-from", path) for path in key_files(options.keys_from)]


def _keeper(
    job: "Job", order: "KeepOrder | None", settings: "Settings", options: PairOptions
) -> "Callable[[Iterator[Located]], Iterator[bytes]]":
    """Return what makes lines of the chosen pairs: of all, of those that --keep keeps, or of none but their keys."""
    if order is None or (options.keys_to is None and options.keys_from is None):
        from real_cli.pair.whole_input import kept_lines

        return lambda pairs: kept_lines(job, pairs, order)
    from real_cli.pair.shard_keys import ShardKeys, head_of, write_keys

    head = head_of(order, settings)
    if options.keys_from is not None:
        keys = ShardKeys.read(options.keys_from, order, head)
        return lambda pairs: keys.kept(job, pairs, order)
    path = options.keys_to
    assert path is not None, "one of the two passes is asked for"
    return lambda pairs: write_keys(job, pairs, order, head, path)


def _chosen_pairs(job: "Job", settings: "Settings", savings: "Savings", limit: float | None) -> Iterator["Located"]:
    from real_cli.io.job import Located
    from real_cli.pair.choose import begin_pairs
    from real_cli.pair.similarity_batch import SimilarityBatch
    from real_cli.records.layouts import adapt_prompt, adapt_unread

    comparisons = SimilarityBatch(settings.max_responses)
    if limit is None:
        located = job.records(adapt_unread, ahead=comparisons.add)
    else:
        from real_cli.pair.whole_input import distinct_prompts

        read = adapt_prompt if settings.emit is Emit.prompts else adapt_unread
        located = distinct_prompts(job, job.records(read), limit)
    for place, (record, outcome) in job.apply(
        lambda record: (record, begin_pairs(record, settings, comparisons.take(record))), located
    ):
        savings.add(record, outcome)
        for reason in outcome.dropped:
            job.drop(place, record, reason)
        yield from (Located(place, written) for written in outcome.records)
        for written in outcome.rest:
            if isinstance(written, str):
                job.drop(place, record, written)
            else:
                savings.add_pair(written)
                yield Located(place, written)
