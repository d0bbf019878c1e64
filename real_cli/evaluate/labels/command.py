"""real eval labels: how often labels are wrong, and which strategy asks for labels that are right."""

from dataclasses import dataclass
from typing import Annotated

import typer

from real_cli.cli.options import MaxResponses
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.evaluate.options import EvaluationOptions, SeedOption
from real_cli.records.choices import MAX_RESPONSES


def strategy_lists(incomplete: str) -> list[str]:
    """Complete names of strategies."""
    from real_cli.cli.completion_values import lists_of
    from real_cli.pair.strategy_names import Strategy

    return lists_of(Strategy)(incomplete)


@dataclass(frozen=True, kw_only=True)
class LabelsOptions(EvaluationOptions, SeedOption):
    """Where truth and label stand, and the strategies to try."""

    gold: Annotated[
        str, typer.Option("--gold", metavar="FIELD", help="The number of a response that is the truth.")
    ] = "score"
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            metavar="FIELD",
            show_default="chosen over rejected, or 'rank'",
            help="The number of a response whose order is the label, such as a judge's score.",
        ),
    ] = None
    temperature: Annotated[
        float,
        typer.Option(
            "--temperature",
            metavar="T",
            help="The Bradley-Terry annotator's: a pair is flipped with probability sigmoid(-gap / T).",
        ),
    ] = 1.0
    ambiguous: Annotated[
        float,
        typer.Option(
            "--ambiguous",
            metavar="P",
            help="Call a pair ambiguous that is flipped more often than this; 0.25 is a gap below ln 3 times T, and "
            "equal gold always is.",
        ),
    ] = 0.25
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare",
            metavar="NAME,NAME,...",
            show_default=False,
            autocompletion=strategy_lists,
            help="Apply these strategies of 'real pair' to candidates, and put what they choose side by side.",
        ),
    ] = None
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget",
            metavar="SHARE%|N,...",
            show_default=False,
            help="With --compare: what so many labels buy under each strategy, in its own --keep order; 100% is one "
            "label for each record that has a pair.",
        ),
    ] = None
    max_responses: MaxResponses = MAX_RESPONSES


@typed_command
def labels(options: LabelsOptions) -> Status:
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
    from real_cli.evaluate.evaluation import run_evaluation
    from real_cli.evaluate.labels.gold import Truth
    from real_cli.evaluate.labels.strategies import parse_trials
    from real_cli.evaluate.labels.survey import LabelSurvey

    truth = Truth(options.gold, options.label, options.temperature, options.ambiguous)
    truth.check()
    trials = parse_trials(options.compare, options.budget, options.seed, options.max_responses)
    survey = LabelSurvey(truth, trials, options.max_responses, seed=options.seed)
    job = options.job(numbers=[name for name in (options.gold, options.label) if name])
    return run_evaluation(survey, job, options.report)
