"""real eval pairs: the health of a set of pairs."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.option_sets import ScoredStreamOptions
from real_cli.cli.typed_command import typed_command
from real_cli.errors import RecordError, Status, UsageError
from real_cli.evaluate.options import EvaluationOptions, SeedOption, limit_option, strict_option

if TYPE_CHECKING:
    from real_cli.evaluate.pairs.leaks import PromptIndex
    from real_cli.evaluate.pairs.near_prompts import NearSearch
    from real_cli.evaluate.pairs.pool_count import PoolCount


class FailOn(StrEnum):
    """Levels of a verdict that a gate shuts at."""

    broken = "broken"
    doubtful = "doubtful"


def complete_check(incomplete: str) -> list[str]:
    """Complete the name of a check."""
    from real_cli.evaluate.pairs.checks import CHECKS

    return [check.name for check in CHECKS if check.name.startswith(incomplete)]


def limit_names() -> list[str]:
    """Name the numbers of a summary that a limit may be set on."""
    from real_cli.evaluate.pairs.health import limit_names

    return limit_names(against=True, near=True)


@dataclass(frozen=True, kw_only=True)
class PairsOptions(EvaluationOptions, ScoredStreamOptions, SeedOption):
    """What the pairs are compared with, and the limits of a gate."""

    pool: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            show_default=False,
            help="The candidates that the pairs were chosen from, for the labels saved.",
        ),
    ] = None
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FILE",
            show_default=False,
            help="Look for the prompts in this file, in any layout: equal, equal once normalized, or with 13 words in "
            "a row in common.",
        ),
    ] = None
    near: Annotated[
        float | None,
        typer.Option(
            "--near",
            metavar="D",
            show_default=False,
            help="With --against: also look for prompts nearer than D to one of that file, by the embeddings of 'real "
            "embed --field prompt' on both sides: squared distance of unit vectors, 2(1-cos), from 0 to 4. The report "
            "shows the nearest.",
        ),
    ] = None
    limit: Annotated[list[str] | None, limit_option(limit_names, "similarity.median, strategies.easy")] = None
    strict: Annotated[
        bool,
        strict_option(
            "there is no pair or a limit is passed; without --limit: num_equal_texts, num_contradictions, "
            "num_against_scores and, with --against, num_leaked_prompts are to be 0"
        ),
    ] = False
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            "--fail-on",
            show_default=False,
            help="Exit 3 if a check says so, or worse: 'broken', or 'doubtful' too.",
        ),
    ] = None
    sound: Annotated[
        Path | None,
        typer.Option(
            "--sound",
            metavar="FILE",
            show_default=False,
            help="Write the pairs here that no check calls broken; those left out are counted, told, and go to "
            "--rejects.",
        ),
    ] = None
    drop: Annotated[
        list[str] | None,
        typer.Option(
            "--drop",
            metavar="CHECK",
            autocompletion=complete_check,
            show_default=False,
            help="Leave out of --sound what this check found, broken or doubtful, and nothing else. Repeatable.",
        ),
    ] = None


@typed_command
def pairs(options: PairsOptions) -> Status:
    """Measure the health of a set of pairs.

    Says of each check what is sound, doubtful or broken, with the reason, the share, a few lines to look at, and the
    --drop that leaves it out: 'verdict' and 'verdicts' of the summary. 'mend' is one command with all of them, and
    'num_left' is how many pairs it leaves.

    Counts labels, equal and near texts, repeats, ties, contradictions (two texts of a prompt labeled both ways),
    labels against their scores, prompts that stand in a response again, and empty texts; the distributions of
    similarity and score gap, and whether they go together; length bias; writing systems; the labels that each strategy
    would save.

    Two texts are near if they share 0.8 of their runs of three words. To normalize is to fold case and width and to
    keep words of letters and digits alone.

    Streams; holds some 190 bytes a pair, and of --against 8 bytes a word; with --near 4 bytes a dimension and some 700
    a prompt of --against, compared by products of 2,048 vectors with as many, each prompt with each.

    \b
    Examples:
      real eval pairs pairs.jsonl
      real eval pairs --from candidates.jsonl pairs.jsonl | jq .saved_of_possible_pairs
      real eval pairs --strict --limit 'share_chosen_longer<=0.6' --against heldout.jsonl pairs.jsonl
      real eval pairs --against held.jsonl --near 0.1 --drop near-leaked-prompts --sound clean.jsonl asked.jsonl
      real eval pairs --fail-on broken --sound sound.jsonl pairs.jsonl > health.json
    """
    from real_cli.evaluate.evaluation import run_evaluation
    from real_cli.evaluate.pairs.health import PairHealth, gate_of
    from real_cli.evaluate.pairs.mending import mend_command
    from real_cli.evaluate.pairs.near_prompts import check_near
    from real_cli.evaluate.pairs.sound_pairs import SoundPairs
    from real_cli.evaluate.pairs.verdicts import Inspection, check_names, tell_verdict

    pool, against = options.pool, options.against
    for option, path in (("--from", pool), ("--against", against)):
        if path == Path("-"):
            raise UsageError(f"{option} -: the pairs come from standard input; name a file")
    check_near(options.near, has_other_file=against is not None)
    given = {"leaks": against is not None, "near-leaks": options.near is not None}
    gate = gate_of(options.limit or [], strict=options.strict, against=given["leaks"], near=given["near-leaks"])
    dropped = check_names(options.drop or [], given)
    if dropped and not options.sound:
        raise UsageError("--drop says what --sound FILE leaves out; give that too")
    job = options.job(also_reads=[("--from", pool), ("--against", against)], also_writes=[options.sound], what="pairs")
    index, search = _index_prompts(against, options.near, options.max_line_bytes) if against else (None, None)
    health = PairHealth(
        seed=options.seed,
        pool=_count_pool(pool, options.max_line_bytes) if pool else None,
        against=index,
        near=search,
        has_examples=options.report is not None,
        inspection=Inspection(mend_command(options, [pool, against])),
        sound=SoundPairs(options.sound, dropped) if options.sound else None,
    )
    status = run_evaluation(health, job, options.report, gate)
    return tell_verdict(health.inspection, options.fail_on, status)


def _count_pool(path: Path, max_line_bytes: int) -> "PoolCount":
    """Read the candidates that the pairs were chosen from."""
    from real_cli.evaluate.pairs.pool_count import PoolCount
    from real_cli.io.job import RecordReader

    count = PoolCount()
    for located in RecordReader([str(path)], max_line_bytes=max_line_bytes).records():
        count.add(located.record)
    return count


def _index_prompts(path: Path, near: float | None, max_line_bytes: int) -> "tuple[PromptIndex, NearSearch | None]":
    """Read the prompts of the other file, and their embeddings where these are compared."""
    from real_cli.evaluate.pairs.leaks import PromptIndex
    from real_cli.evaluate.pairs.near_prompts import NearSearch, PromptVectors
    from real_cli.io.job import RecordReader
    from real_cli.io.sources import Item
    from real_cli.records.layouts import adapt_prompt

    index, vectors = PromptIndex(), PromptVectors()
    reader = RecordReader([str(path)], max_line_bytes=max_line_bytes)
    for place, record in reader.records(adapt_prompt):
        index.add(record["prompt"])
        if near is not None:
            try:
                vectors.add(place, record)
            except RecordError as error:
                reader.reject(Item(place, record), str(error))
    return index, NearSearch(vectors, near) if near is not None else None
