"""real eval compare: which way of training is better."""

from dataclasses import dataclass
from typing import Annotated

import typer

from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.evaluate.options import EvaluationOptions


@dataclass(frozen=True, kw_only=True)
class CompareOptions(EvaluationOptions):
    """What each method is compared with."""

    baseline: Annotated[
        str, typer.Option("--baseline", metavar="METHOD", help="The method that each other one is compared with.")
    ] = "dpo"


@typed_command
def compare(options: CompareOptions) -> Status:
    """Compare methods of training on the same held-out pairs.

    Reads what 'eval margin --rows' writes, tagged with method and, where a method was trained several times, seed; the
    recipe compare makes such rows. Writes for each method, and for its difference from --baseline on the same pairs and
    the same seeds: accuracy; margin, in nats whatever beta the method trained with; margin_equal_length, at the height
    0 of a line through the margins over the differences of length; likelihood_accuracy, without the reference; and
    prefers_longer, how often the longer response has the larger log-ratio where lengths differ. A tie is wrong.

    NAME_low and NAME_high are a 95% interval over prompts and seeds together, both of which are draws; it takes ten
    prompts and two seeds. NAME_p is the p-value of a difference, NAME_p_holm the same corrected by Holm for the number
    of comparisons (num_comparisons), each measure by itself. verdict is better or worse where the corrected p of
    accuracy is below 0.05, undecided where it is not, and null where there is no test; smallest_shown is the difference
    of accuracies that would have been decided four times out of five, prompts_needed and seeds_needed are how many
    would so decide this one (null where none would). A larger margin makes no policy better by itself.

    Prompts that some policy lacks are left out of all and counted; missing lists methods without a seed that others
    have. train_seconds (of the steps alone, a mean over seeds), train_seconds_ratio (to the baseline's) and the peaks
    of memory are what the rows say of the training.

    Buffers the numbers of all rows in memory, because every policy must have measured the same pairs; holds some 400
    bytes a row.

    \b
    Examples:
      real eval compare rows/*.jsonl
      real eval compare --baseline dpo --report compare.html rows/*.jsonl | jq '.differences[] | {method, verdict}'
      real eval margin -p aligned -r sft --rows ipo-1.jsonl --tag method=ipo --tag seed=1 heldout.jsonl
    """
    from real_cli.evaluate.compare.tally import MethodComparison
    from real_cli.evaluate.evaluation import run_evaluation

    return run_evaluation(MethodComparison(options.baseline), options.job(what="rows"), options.report)
