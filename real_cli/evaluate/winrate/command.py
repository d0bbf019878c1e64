"""real eval winrate: which model wins."""

from dataclasses import dataclass
from typing import Annotated

import typer

from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.evaluate.options import CategoryField, EvaluationOptions, ModelField


@dataclass(frozen=True, kw_only=True)
class WinrateOptions(EvaluationOptions):
    """Whose wins are counted, and by what."""

    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            show_default="the first by name of two",
            help="The model whose wins are counted, against the other one or against all others.",
        ),
    ] = None
    model_field: ModelField = "model"
    by: CategoryField = None


@typed_command
def winrate(options: WinrateOptions) -> Status:
    """Count which model wins, and how much of it is length.

    Reads what 'relabel judge' and 'relabel human' write with --ties keep: labeled pairs, ties, and the matrix of more
    than two responses. Writes wins, ties, losses and the win rate (ties are half a win) with 95% intervals: Wilson's,
    with comparisons of one prompt counted for what they are worth together; the rate at equal length, by AlpacaEval 2's
    logistic model on these very pairs, length in characters, and why there is none where it cannot be had; how often a
    judge named the same place in both orders; and of more than two models Bradley and Terry's ranking. A model against
    itself is counted apart and left out. Of a panel each judge counts for the places.

    Streams; holds about thirty bytes a comparison.

    \b
    Examples:
      real relabel judge -m qwen --ties keep pairs.jsonl | real eval winrate --model new
      real eval winrate --by task --report winrate.html judged.jsonl | jq '.win_rate, .lc_win_rate'
    """
    from real_cli.evaluate.evaluation import run_evaluation
    from real_cli.evaluate.winrate.tally import WinrateTally

    job = options.job()
    tally = WinrateTally(options.model, options.by, options.model_field, has_examples=options.report is not None)
    return run_evaluation(tally, job, options.report)
