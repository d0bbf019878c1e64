"""real eval margin: how far a policy prefers the chosen responses."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.completion_values import language_model_names
from real_cli.cli.option_sets import ScoringOptions
from real_cli.cli.options import ExportLogps, Reference, ReportFile
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status, UsageError
from real_cli.evaluate.options import EvaluationOptions, SeedOption
from real_cli.io.output import STANDARD_OUTPUT
from real_cli.io.progress import speaker

if TYPE_CHECKING:
    from real_cli.models.score.model_pair import ModelPair
    from real_cli.train.curves import TrainingCurves


@dataclass(frozen=True, kw_only=True)
class MarginOptions(EvaluationOptions, SeedOption, ScoringOptions):
    """Which policies are measured against which reference, and what is written beside the summary."""

    policy: Annotated[
        list[str],
        typer.Option(
            "--policy",
            "-p",
            metavar="NAME",
            autocompletion=language_model_names,
            help="The model to measure: a folder, a .gguf file, a hub name, or smollm2. Several are compared with the "
            "first: give this once for each.",
        ),
    ]
    reference: Reference = None
    beta: Annotated[float, typer.Option("--beta", metavar="X", help="Scale of the implicit reward.")] = 0.1
    rows: Annotated[
        Path | None,
        typer.Option(
            "--rows",
            metavar="FILE",
            show_default=False,
            help="Write the numbers of each pair here, a JSON line a pair and policy; prompt_key stands for the "
            "prompt, train_seconds and the like say what the training took, where the policy's real.json does.",
        ),
    ] = None
    tag: Annotated[
        list[str] | None,
        typer.Option(
            "--tag",
            metavar="NAME=VALUE",
            show_default=False,
            help="A field that each line of --rows gets, such as strategy=easy: 'real eval budget' and 'real eval "
            "compare' tell runs apart by them. Give this once for each.",
        ),
    ] = None
    export_logps: ExportLogps = None
    report: ReportFile = None  # said again, to stand before --training, which is for it
    training: Annotated[
        Path | None,
        typer.Option(
            "--training",
            metavar="FILE",
            show_default=False,
            help="What 'real train-dpo' wrote on standard output, for the report's training curves.",
        ),
    ] = None


@typed_command
def margin(options: MarginOptions) -> Status:
    """Measure how far a policy prefers the chosen responses, beyond what its reference does.

    The margin of a pair is (log-ratio of policy to reference) of chosen minus rejected. The summary has it in nats
    (margin, as REAL reports it), times beta (margin_beta, as TRL does) and a token (margin_per_token); the accuracy
    with ties told apart; the same by similarity where the pairs carry it, and by which response has more tokens
    (by_length); the margin that is left at equal length (margin_equal_length); what the policy says without a reference
    (likelihood_accuracy, likelihood_margin); and whether the policy is right as often as sigmoid(beta * margin) says
    (calibration, ece). NAME_low and NAME_high are a 95% interval: Wilson's for shares, with pairs of one prompt counted
    for what they are worth together; drawn over prompts (--seed) for means. The margin at equal length is the height at
    0 of a line through the margins over the differences of length, its interval by errors clustered by prompt. Several
    policies are measured one after the other on the same pairs; differences are each further one minus the first, of
    shares by Bonett and Price.

    What tools and users say inside a response is read and not scored; pairs whose responses became the same tokens are
    left out (num_same_tokens); those with a response that was cut when it was sampled are counted (num_is_cut). Policy
    and reference must read the same token ids. is_trained_on says whether the pairs are those that the manifest of the
    policy, or of the model it was trained from, names as training data; null where there is no such manifest.

    Streams, in windows of 512 pairs; holds 56 bytes a pair and policy. With several policies it buffers the pairs on
    disk, because each policy reads them anew.

    \b
    Examples:
      real eval margin --policy aligned --reference smollm2 heldout.jsonl
      real eval margin --policy aligned --reference smollm2 pairs.jsonl | jq '.accuracy, .margin'
      real eval margin -p easy -p random -r smollm2 heldout.jsonl | jq '.differences'
      real eval margin -p aligned -r smollm2 --report margin.html --training training.jsonl heldout.jsonl
    """
    from real_cli.evaluate.evaluation import run_evaluation
    from real_cli.evaluate.margin.run import MarginRun
    from real_cli.evaluate.margin.tags import read_tags

    _check(options.policy, options.beta)
    tags = read_tags(options.tag or [])
    if tags and options.rows is None:
        raise UsageError("--tag: tags go to the lines of --rows; name a file with it")
    written = [options.rows, options.export_logps]
    job = options.job(also_writes=written, also_reads=[("--training", options.training)], what="pairs")
    run = MarginRun(
        options.policy,
        options.reference,
        lambda policy, reference: _model_pair(options, policy, reference),
        beta=options.beta,
        seed=options.seed,
        rows=options.rows,
        tags=tags,
        export=options.export_logps,
        curves=_read_training(options.training, options.report),
        has_examples=options.report is not None,
    )
    return run_evaluation(run, job, options.report)


def _model_pair(options: MarginOptions, policy: str, reference: str | None) -> "ModelPair":
    from real_cli.models.score.model_pair import ModelPair

    return ModelPair(
        policy,
        reference,
        device=options.device,
        precision=options.dtype,
        attention=options.attention,
        layout=options.layout,
        batch_tokens=options.batch_tokens,
        max_length=options.max_length,
        tell=speaker(options.quiet),
    )


def _check(policies: list[str], beta: float) -> None:
    if not 0 < beta < math.inf:
        raise UsageError(f"--beta {beta}: must be greater than 0, and finite")
    targets = [Path(name).resolve() if Path(name).exists() else name for name in policies]  # ./easy is easy
    for name, target in zip(policies, targets, strict=True):
        if targets.count(target) > 1:
            raise UsageError(f"--policy {name}: is named twice; name other policies to compare")


def _read_training(path: Path | None, report: Path | None) -> "TrainingCurves | None":
    from real_cli.io.sources import read_source
    from real_cli.train.curves import read_curves

    if path is None:
        return None
    if report is None:
        raise UsageError("--training: its curves are drawn in a report; name one with --report")
    if path == STANDARD_OUTPUT:
        raise UsageError("--training -: the pairs come from standard input; name a file")
    return read_curves(item.record for item in read_source(str(path)))
