"""real eval pairs: the health of a set of pairs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.guard import guarded
from real_cli.cli.options import (
    Files,
    InputFormatOption,
    MaxLineBytes,
    OnErrorOption,
    Output,
    Quiet,
    Rejects,
    ReportFile,
    ScoreName,
    Seed,
)
from real_cli.errors import Status, UsageError
from real_cli.io.job import Job, RecordReader
from real_cli.io.jsonl import MAX_LINE_BYTES
from real_cli.io.progress import say
from real_cli.io.sources import SourceOptions
from real_cli.records.choices import OnError

if TYPE_CHECKING:
    from real_cli.evaluate.pairs.leaks import PromptIndex
    from real_cli.evaluate.pairs.pool_count import PoolCount


@guarded
def pairs(
    files: Files = None,
    *,
    pool: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            show_default=False,
            help="The candidates that the pairs were chosen from, for the labels saved.",
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FILE",
            show_default=False,
            help="Look for the prompts in this file, in any layout: equal, equal once normalized, or with 13 words in "
            "a row in common.",
        ),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            metavar="LIMIT",
            show_default=False,
            help="NAME<=X or NAME>=X, NAME a number of the summary (similarity.median, strategies.easy); what passes "
            "it is told. "
            "Repeatable.",
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Exit 3 if there is no pair or a limit is passed; without --limit: num_equal_texts, "
            "num_contradictions, num_against_scores and, with --against, num_leaked_prompts are to be 0.",
        ),
    ] = False,
    report: ReportFile = None,
    seed: Seed = 0,
    output: Output = None,
    on_error: OnErrorOption = OnError.fail,
    rejects: Rejects = None,
    input_format: InputFormatOption = None,
    score: ScoreName = None,
    max_line_bytes: MaxLineBytes = MAX_LINE_BYTES,
    quiet: Quiet = False,
) -> Status:
    """Measure the health of a set of pairs.

    Counts labels, equal and near texts, repeats, ties, contradictions (two texts of a prompt labeled both ways),
    labels against their scores, prompts that stand in a response again, and empty texts; the distributions of
    similarity and score gap, and whether they go together; length bias; writing systems; the labels that each strategy
    would save.

    Two texts are near if they share 0.8 of their runs of three words. To normalize is to fold case and width and to
    keep words of letters and digits alone.

    Streams; holds some 80 bytes a pair, and of --against 8 bytes a word.

    \b
    Examples:
      real eval pairs pairs.jsonl
      real eval pairs --from candidates.jsonl pairs.jsonl | jq .saved_of_possible_pairs
      real eval pairs --strict --limit 'share_chosen_longer<=0.6' --against heldout.jsonl pairs.jsonl
    """
    from real_cli.evaluate.pairs.examples import PairExcerpts
    from real_cli.evaluate.pairs.health import PairHealth, check_pair, limits_of
    from real_cli.evaluate.pairs.report import pairs_report
    from real_cli.report.html import check_report, write_report
    from real_cli.report.terminal import show_table

    for option, path in (("--from", pool), ("--against", against)):
        if path == Path("-"):
            raise UsageError(f"{option} -: the pairs come from standard input; name a file")
    check_report(report)
    limits = limits_of(limit or [], strict=strict, against=against is not None)
    excerpts = PairExcerpts() if report else None
    job = Job(
        files or [],
        also_writes=[report] if report else [],
        also_reads=[("--from", pool), ("--against", against)],
        output=output,
        on_error=on_error,
        rejects=rejects,
        quiet=quiet,
        max_line_bytes=max_line_bytes,
        reading=SourceOptions(input_format, score=score),
        what="pairs",
    )
    with job:
        count = _count_pool(pool, max_line_bytes) if pool else None
        index = _index_prompts(against, max_line_bytes) if against else None
        health = PairHealth(seed=seed, against=index, excerpts=excerpts)
        for located in job.check(check_pair, job.records(health.read)):
            health.add(located.record, located.place)
        summary = health.summary(count, limits)
        job.write(summary)
        job.summary = "; ".join(summary["notes"])
        write_report(report, pairs_report(summary, health.excerpts()))
    show_table("pairs", summary, quiet=quiet)
    return _report_limits(summary["limits"], job.status, strict=strict, quiet=quiet)


def _count_pool(path: Path, max_line_bytes: int) -> "PoolCount":
    """Read the candidates that the pairs were chosen from."""
    from real_cli.evaluate.pairs.pool_count import PoolCount

    count = PoolCount()
    for located in RecordReader([str(path)], max_line_bytes=max_line_bytes).records():
        count.add(located.record)
    return count


def _index_prompts(path: Path, max_line_bytes: int) -> "PromptIndex":
    """Read the prompts of the other file."""
    from real_cli.evaluate.pairs.leaks import PromptIndex
    from real_cli.records.layouts import adapt_prompt

    index = PromptIndex()
    for located in RecordReader([str(path)], max_line_bytes=max_line_bytes).records(adapt_prompt):
        index.add(located.record["prompt"])
    return index


def _report_limits(limits: list[dict[str, object]], status: Status, *, strict: bool, quiet: bool) -> Status:
    """Tell each limit that was passed; with --strict they are failures, which --quiet does not hide."""
    from real_cli.evaluate.pairs.limits import passed_limits

    lines = passed_limits(limits)
    if strict or not quiet:
        for line in lines:
            say(line)
    return Status.over_limit if strict and lines else status
