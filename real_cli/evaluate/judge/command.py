"""real eval judge: whether a judge can be trusted."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status, UsageError
from real_cli.evaluate.options import EvaluationOptions, ModelField, limit_option, strict_option

if TYPE_CHECKING:
    from real_cli.evaluate.judge.gold_labels import GoldFile

# What --strict asks for in any case.
NEEDED = "num_compared>=1"


def limit_names() -> list[str]:
    """Name the numbers of a summary that a limit may be set on."""
    from real_cli.evaluate.judge.survey import JudgeSurvey
    from real_cli.evaluate.limits import number_names

    return number_names(JudgeSurvey().summary())


@dataclass(frozen=True, kw_only=True)
class JudgeSurveyOptions(EvaluationOptions):
    """Where the judge's labels and those to compare with stand, and the limits of a gate."""

    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FILE",
            show_default=False,
            help="Compare with the labels of this file, a person's or another judge's, by prompt and responses; of "
            "several labels of a pair with the most frequent.",
        ),
    ] = None
    gold: Annotated[
        str | None,
        typer.Option(
            "--gold",
            metavar="FIELD",
            show_default="the label of the record",
            help="The number of a response whose order is the label to compare with, of --against or the record.",
        ),
    ] = None
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            metavar="FIELD",
            show_default="the label of the record",
            help="The number of a response whose order is the judge's label, such as the score of a rubric.",
        ),
    ] = None
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            show_default="as the judge's note has it",
            help="The judge's name among the models of the responses, for whether it prefers its own.",
        ),
    ] = None
    model_field: ModelField = "model"
    effect: Annotated[
        float,
        typer.Option(
            "--effect",
            metavar="X",
            help="Count the labels that show a win rate of 1/2 + X between two models.",
        ),
    ] = 0.05
    limit: Annotated[list[str] | None, limit_option(limit_names, "agreement_low, flip_rate")] = None
    strict: Annotated[bool, strict_option("no label is compared, or a limit is passed")] = False


@typed_command
def judge(options: JudgeSurveyOptions) -> Status:
    """Measure how far a judge can be trusted.

    Reads what 'relabel judge' writes with --ties keep, or any labels, and compares them with others: those of --against
    FILE, the number --gold of the same record, or, for a judge whose number is --label, the record's own label. Writes
    agreement, Cohen's kappa, Gwet's AC1 and accuracy (of pairs that the other label decides; a tie is half right), by
    tenths of similarity, score gap and length difference; whether the least similar half of the pairs is judged better;
    flips and the favored place; how often the longer response is preferred against the other labels, and the accuracy
    at equal length; how often repeated labels agree; and whether it prefers its own model's responses. A panel is one
    judge, of which each model counts for flips and places, and as its own.

    Of two models it says which win rate beyond one half the judge's labels show, one a prompt, and how many show
    --effect.

    Intervals are 95%, with pairs of one prompt counted for what they are worth together. Pairs without another label
    count for the rest alone.

    Streams; holds some sixty bytes a pair, and of --against some four hundred.

    \b
    Examples:
      real relabel judge -m qwen --ties keep pairs.jsonl | real eval judge --against human.jsonl
      real eval judge --label score rated.jsonl | jq '.agreement, .kappa'
      real eval judge --against human.jsonl --strict --limit 'agreement_low>=0.6' judged.jsonl
    """
    from real_cli.evaluate.evaluation import run_evaluation
    from real_cli.evaluate.judge.gold_labels import GoldField, check_fields
    from real_cli.evaluate.judge.survey import JudgeSurvey
    from real_cli.evaluate.limits import read_gate

    against, gold, label = options.against, options.gold, options.label
    check_fields(label, gold, has_file=against is not None)
    if against == Path("-"):
        raise UsageError("--against -: the judge's labels come from standard input; name a file")
    gate = read_gate(options.limit or [], limit_names, is_strict=options.strict, needed=NEEDED)
    numbers = [name for name in (gold, label) if name]
    job = options.job(numbers=numbers, also_reads=[("--against", against)])
    source = GoldField(gold) if gold is not None or label is not None else None
    survey = JudgeSurvey(
        label=label,
        gold=_read_gold(options, against) if against else source,
        model=options.model,
        model_field=options.model_field,
        effect=options.effect,
        has_examples=options.report is not None,
    )
    return run_evaluation(survey, job, options.report, gate)


def _read_gold(options: JudgeSurveyOptions, path: Path) -> "GoldFile":
    """Read the labels of the other file."""
    from real_cli.errors import RecordError
    from real_cli.evaluate.judge.gold_labels import GoldFile
    from real_cli.io.job import RecordReader
    from real_cli.io.sources import SourceOptions

    gold = GoldFile(options.gold)
    reading = SourceOptions(numbers=[options.gold] if options.gold else [])
    for place, record in RecordReader([str(path)], max_line_bytes=options.max_line_bytes, reading=reading).records():
        try:
            gold.add(record)
        except RecordError as error:
            raise RecordError(f"{place}: {error}") from None
    return gold
