"""real eval labels: how often labels are wrong, and which strategy asks for labels that are right."""

from typing import Annotated

import typer

from real_cli import __version__
from real_cli.cli.guard import guarded
from real_cli.cli.options import (
    Files,
    InputFormatOption,
    MaxLineBytes,
    MaxResponses,
    OnErrorOption,
    Output,
    Quiet,
    Rejects,
    ReportFile,
    Seed,
)
from real_cli.errors import Status
from real_cli.io.job import Job
from real_cli.io.jsonl import MAX_LINE_BYTES
from real_cli.io.sources import SourceOptions
from real_cli.records.choices import MAX_RESPONSES, OnError


@guarded
def labels(
    files: Files = None,
    *,
    gold: Annotated[
        str, typer.Option("--gold", metavar="FIELD", help="The number of a response that is the truth.")
    ] = "score",
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            metavar="FIELD",
            show_default="chosen over rejected, or 'rank'",
            help="The number of a response whose order is the label, such as a judge's score.",
        ),
    ] = None,
    temperature: Annotated[
        float,
        typer.Option(
            "--temperature",
            metavar="T",
            help="The Bradley-Terry annotator's: a pair is flipped with probability sigmoid(-gap / T).",
        ),
    ] = 1.0,
    ambiguous: Annotated[
        float,
        typer.Option(
            "--ambiguous",
            metavar="P",
            help="Call a pair ambiguous that is flipped more often than this; 0.25 is a gap below ln 3 times T, and "
            "equal gold always is.",
        ),
    ] = 0.25,
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare",
            metavar="NAME,NAME,...",
            show_default=False,
            help="Apply these strategies of 'real pair' to candidates, and put what they choose side by side.",
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget",
            metavar="SHARE%|N,...",
            show_default=False,
            help="With --compare: what so many labels buy under each strategy, in its own --keep order; 100% is one "
            "label for each record that has a pair.",
        ),
    ] = None,
    max_responses: MaxResponses = MAX_RESPONSES,
    report: ReportFile = None,
    output: Output = None,
    on_error: OnErrorOption = OnError.fail,
    rejects: Rejects = None,
    seed: Seed = 0,
    input_format: InputFormatOption = None,
    max_line_bytes: MaxLineBytes = MAX_LINE_BYTES,
    quiet: Quiet = False,
) -> Status:
    """Measure how often labels contradict the truth, and which strategy asks for labels that are right.

    Reads labeled pairs, or candidates, whose responses have a gold score; of candidates, all pairs count. Reports the
    share of labels that prefer the worse response, how many a Bradley-Terry annotator would flip given the gap in gold,
    the share of ambiguous pairs, and the mean gap: for all pairs, by strategy, and by tenths of similarity. With
    --compare also for the pairs that each strategy would choose, with differences to random. Intervals are 95%:
    Wilson's for shares, with pairs of one prompt counted for what they are worth together; drawn over prompts for all
    others; none for fewer than ten prompts.

    Streams; holds six numbers a pair, and of a strategy's pairs.

    \b
    Examples:
      real eval labels pairs.jsonl | jq '.share_wrong, .expected_flips'
      real eval labels --gold gold --label score judged.jsonl
      real eval labels --compare easy,random,hard --budget 5%,35%,100% --report labels.html embedded.jsonl
    """
    from real_cli.evaluate.labels.gold import Truth
    from real_cli.evaluate.labels.report import labels_report
    from real_cli.evaluate.labels.strategies import parse_trials
    from real_cli.evaluate.labels.survey import LabelSurvey
    from real_cli.pair.similarity_batch import SimilarityBatch
    from real_cli.report.html import check_report, write_report
    from real_cli.report.terminal import show_table

    truth = Truth(gold, label, temperature, ambiguous)
    truth.check()
    trials = parse_trials(compare, budget, seed, max_responses)
    check_report(report)
    survey, comparisons = LabelSurvey(truth, trials, max_responses), SimilarityBatch(max_responses)
    options = SourceOptions(input_format, numbers=[name for name in (gold, label) if name])
    job = Job(
        files or [], also_writes=[report] if report else [], output=output, on_error=on_error, rejects=rejects,
        quiet=quiet, max_line_bytes=max_line_bytes, reading=options, what="records",
    )  # fmt: skip
    with job:
        for place, (record, reading) in job.apply(
            lambda record: (record, survey.read(record, comparisons.take(record))), job.records(ahead=comparisons.add)
        ):
            for reason in reading.dropped:
                job.drop(place, record, reason)
            survey.add(place, record, reading)
        summary = survey.summary(seed)
        job.write(summary)
        job.summary = "; ".join(summary["notes"])
        if report:
            write_report(report, labels_report(summary, survey.excerpts(), {"version": __version__, "seed": seed}))
    show_table("labels", summary, quiet=quiet)
    return job.status
