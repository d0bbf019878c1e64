"""real eval reward: whether a reward model scores the better response higher."""

from dataclasses import dataclass
from typing import Annotated

import typer

from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.evaluate.options import CategoryField, EvaluationOptions, SeedOption, limit_option, strict_option

DEFAULT_FIELD = "score"


def limit_names() -> list[str]:
    """Name the numbers of a summary that a limit may be set on."""
    from real_cli.evaluate.reward.tally import limit_names

    return limit_names()


@dataclass(frozen=True, kw_only=True)
class RewardEvaluationOptions(EvaluationOptions, SeedOption):
    """Where scores and truth stand, and the limits of a gate."""

    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            metavar="NAME",
            show_default=DEFAULT_FIELD,
            help="The field of a response that holds the reward model's score, as 'relabel reward --field' wrote it. "
            "Several are compared with the first: give this once for each.",
        ),
    ] = None
    gold: Annotated[
        str | None,
        typer.Option(
            "--gold",
            metavar="FIELD",
            show_default="chosen over rejected, or 'rank'",
            help="The number of a response that says how good it is, such as a person's rating; larger is better.",
        ),
    ] = None
    by: CategoryField = None
    temperature: Annotated[
        float,
        typer.Option(
            "--temperature",
            metavar="T",
            help="For the calibration: a score gap says sigmoid(gap / T), the scale that Bradley and Terry's loss "
            "gives a reward is 1.",
        ),
    ] = 1.0
    limit: Annotated[list[str] | None, limit_option(limit_names, "accuracy_low, ties.score")] = None
    strict: Annotated[bool, strict_option("there is no pair or a limit is passed")] = False


@typed_command
def reward(options: RewardEvaluationOptions) -> Status:
    """Measure how often a reward model is right, by subset, by length and by what it claims.

    Reads pairs, or candidates with ranks or --gold, and the scores that 'real relabel reward' leaves on them: it keeps
    labels and ranks, and with --field another score. No model is loaded here: what scored is paid for once, and may as
    well be a judge or a server.

    Each two responses of which one is better are a pair. The summary has the accuracy on pairs (a tie counts as wrong,
    num_ties) and the mean score gap; best of n: how often the highest score is a best response's (best_of_n_accuracy, a
    tie at the top counts in part), beside best_of_n_by_chance; where several are best, whether all stand above all
    others (several_best_accuracy), and farther from these than from each other (several_best_preferred); accuracy by
    which response is longer (by_length) and at equal length (accuracy_equal_length, score_gap_equal_length); whether
    sigmoid(gap / T) comes true (calibration, ece). NAME_low and NAME_high are a 95% interval: Wilson's for shares, with
    pairs of one prompt counted for what they are worth together; drawn over prompts for means.

    With --by the score of a category is its best of n, that of RewardBench 2's ties (their ids are ref:N and tied:N)
    its weighted score; mean_score is the mean over categories, with --by subset the number of its leaderboard.

    Streams; holds 22 bytes a pair and 51 a record; 8 and 24 more for each further --field.

    \b
    Examples:
      real relabel reward --model ./reward heldout.jsonl | real eval reward --report reward.html
      real relabel reward --model ./reward reward-bench-2.jsonl | real eval reward --by subset
      real eval reward --field score_small --field score_large heldout.jsonl | jq '.differences'
      real eval reward --field length --gold score --limit 'accuracy_low>=0.6' scored.jsonl
    """
    from real_cli.evaluate.evaluation import run_evaluation
    from real_cli.evaluate.reward.tally import RewardCheck, gate_of

    fields = options.field or [DEFAULT_FIELD]
    check = RewardCheck(
        fields,
        gold=options.gold,
        by=options.by,
        temperature=options.temperature,
        seed=options.seed,
        has_examples=options.report is not None,
    )
    gate = gate_of(options.limit or [], strict=options.strict, num_models=len(fields))
    job = options.job(numbers=[name for name in (*fields, options.gold) if name])
    return run_evaluation(check, job, options.report, gate)
