"""real eval budget: what labels buy, from the outcomes of many trained policies."""

from dataclasses import dataclass
from typing import Annotated

import typer

from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status, UsageError, clip
from real_cli.evaluate.options import EvaluationOptions


@dataclass(frozen=True, kw_only=True)
class BudgetOptions(EvaluationOptions):
    """What strategies are compared with."""

    baseline: Annotated[
        str, typer.Option("--baseline", metavar="NAME", help="The strategy that the others are compared with.")
    ] = "random"
    shared: Annotated[
        str,
        typer.Option(
            "--shared",
            metavar="NAME",
            help="The strategy of runs that belong to every other, such as those on all labels, which are the same "
            "whatever chose them: train them once a seed.",
        ),
    ] = "all"


@typed_command
def budget(options: BudgetOptions) -> Status:
    """Tell what labels buy: accuracy by strategy and budget, and the labels saved.

    Reads what 'eval margin --rows' writes of many trained policies, each line with strategy, budget (the number of
    labels) and seed: --tag strategy=easy --tag budget=320 --tag seed=1. All policies answer the same held-out pairs;
    prompts that some run lacks are left out, and counted.

    Writes held-out accuracy and margin of each strategy and budget (cells); their differences to the baseline at equal
    budgets (differences); the mean difference over the logarithm of the budget, which is the area between the curves
    over the width (areas); and the budget at which the baseline reaches the same accuracy, with the share of labels
    saved (savings): the baseline's curve runs straight over the logarithm of the budget from one of its budgets to the
    next, and may not fall. Beyond its last budget it is not reached, and an end of an interval that is not measured is
    null: is_low_open and is_high_open say which.

    NAME_low and NAME_high are a 95% interval over prompts and seeds together: by the variances of a table that is
    crossed by both, with Student's t and Satterthwaite's degrees of freedom; Wilson's for the share of a cell. The same
    prompts stand on both sides of a difference, while runs of two strategies are independent, whatever their seeds are
    called. One seed, or fewer than ten prompts, gives no interval. verdict says better or worse only where a test that
    Holm's method corrects says so (p_holm): of the areas for their number, of the differences for theirs; what is not
    decided has the smallest difference that would be shown four times out of five, and the prompts, or the seeds, that
    would show the one at hand (null where none alone would).

    Streams; holds four numbers a run and prompt, and the place of each pair.

    \b
    Examples:
      real eval budget outcomes.jsonl | jq '.areas[] | .strategy, .verdict'
      real eval budget --report budget.html outcomes.jsonl | jq '.savings[] | .saving, .saving_low, .saving_high'
      real eval budget --baseline easy outcomes.jsonl | jq '.differences, .missing'
    """
    from real_cli.evaluate.budget.tally import BudgetTally
    from real_cli.evaluate.evaluation import run_evaluation

    if options.baseline == options.shared:
        raise UsageError(f"--baseline {clip(options.baseline)}: is what --shared names; name two strategies")
    job = options.job(numbers=["budget", "margin"], what="rows")
    return run_evaluation(BudgetTally(options.baseline, options.shared), job, options.report)
