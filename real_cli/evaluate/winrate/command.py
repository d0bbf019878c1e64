"""real eval winrate: which model wins."""

from typing import Annotated

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
)
from real_cli.errors import Status
from real_cli.io.job import Job
from real_cli.io.jsonl import MAX_LINE_BYTES
from real_cli.io.sources import SourceOptions
from real_cli.records.choices import OnError


@guarded
def winrate(
    files: Files = None,
    *,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            show_default="the first by name of two",
            help="The model whose wins are counted, against the other one or against all others.",
        ),
    ] = None,
    model_field: Annotated[
        str,
        typer.Option(
            "--model-field",
            metavar="NAME",
            help="The field of a response that names its model; on a labeled pair NAME_chosen and NAME_rejected.",
        ),
    ] = "model",
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="FIELD",
            show_default=False,
            help="A field of the record that names its category; results are given for each, also for none (null).",
        ),
    ] = None,
    report: ReportFile = None,
    output: Output = None,
    on_error: OnErrorOption = OnError.fail,
    rejects: Rejects = None,
    input_format: InputFormatOption = None,
    max_line_bytes: MaxLineBytes = MAX_LINE_BYTES,
    quiet: Quiet = False,
) -> Status:
    """Count which model wins, and how much of it is length.

    Reads what 'relabel judge' and 'relabel human' write with --ties keep: labeled pairs, ties, and the matrix of more
    than two responses. Writes wins, ties, losses and the win rate (ties are half a win) with 95% intervals: Wilson's,
    with comparisons of one prompt counted for what they are worth together; the rate at equal length, by AlpacaEval 2's
    logistic model on these very pairs, length in characters, and why there is none where it cannot be had; how often a
    judge named the same place in both orders; and of more than two models Bradley and Terry's ranking. A model against
    itself is counted apart and left out.

    Streams; holds about thirty bytes a comparison.

    \b
    Examples:
      real relabel judge -m qwen --ties keep pairs.jsonl | real eval winrate --model new
      real eval winrate --by task --report winrate.html judged.jsonl | jq '.win_rate, .lc_win_rate'
    """
    from real_cli.evaluate.evaluation import run_evaluation
    from real_cli.evaluate.winrate.tally import WinrateTally
    from real_cli.report.html import check_report

    check_report(report)
    tally = WinrateTally(model, by, model_field, has_examples=report is not None)
    job = Job(
        files or [],
        output=output,
        also_writes=[report] if report else [],
        on_error=on_error,
        rejects=rejects,
        quiet=quiet,
        max_line_bytes=max_line_bytes,
        reading=SourceOptions(input_format),
        what="records",
    )
    return run_evaluation(tally, job, report)
