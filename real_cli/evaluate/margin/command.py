"""real eval margin: how far a policy prefers the chosen responses."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.guard import guarded
from real_cli.cli.options import (
    AttentionOption,
    Base,
    BatchTokens,
    Device,
    Dtype,
    ExportLogps,
    Files,
    InputFormatOption,
    Layout,
    MaxLength,
    MaxLineBytes,
    OnErrorOption,
    Output,
    Quiet,
    Reference,
    Rejects,
    ReportFile,
    Seed,
)
from real_cli.errors import Status, UsageError
from real_cli.io.job import Job
from real_cli.io.jsonl import MAX_LINE_BYTES
from real_cli.io.output import STANDARD_OUTPUT
from real_cli.io.progress import speaker
from real_cli.io.sources import SourceOptions
from real_cli.records.choices import Attention, OnError, Precision, TokenLayout

if TYPE_CHECKING:
    from real_cli.train.curves import TrainingCurves


@guarded
def margin(
    files: Files = None,
    *,
    policy: Annotated[
        list[str],
        typer.Option(
            "--policy",
            "-p",
            metavar="NAME",
            help="The model to measure: a folder, a .gguf file, a hub name, or smollm2. Several are compared with the "
            "first: give this once for each.",
        ),
    ],
    reference: Reference = None,
    beta: Annotated[float, typer.Option("--beta", metavar="X", help="Scale of the implicit reward.")] = 0.1,
    max_length: MaxLength = 1024,
    rows: Annotated[
        Path | None,
        typer.Option(
            "--rows",
            metavar="FILE",
            show_default=False,
            help="Write the numbers of each pair here, a JSON line a pair and policy.",
        ),
    ] = None,
    export_logps: ExportLogps = None,
    report: ReportFile = None,
    training: Annotated[
        Path | None,
        typer.Option(
            "--training",
            metavar="FILE",
            show_default=False,
            help="What 'real train-dpo' wrote on standard output, for the report's training curves.",
        ),
    ] = None,
    seed: Seed = 0,
    attention: AttentionOption = Attention.auto,
    layout: Layout = TokenLayout.auto,
    batch_tokens: BatchTokens = None,
    device: Device = "auto",
    dtype: Dtype = Precision.auto,
    base: Base = None,
    output: Output = None,
    on_error: OnErrorOption = OnError.fail,
    rejects: Rejects = None,
    input_format: InputFormatOption = None,
    max_line_bytes: MaxLineBytes = MAX_LINE_BYTES,
    quiet: Quiet = False,
) -> Status:
    """Measure how far a policy prefers the chosen responses, beyond what its reference does.

    The margin of a pair is (log-ratio of policy to reference) of chosen minus rejected. The summary has it in nats
    (margin, as REAL reports it), times beta (margin_beta, as TRL does) and a token (margin_per_token); the accuracy
    with ties told apart; the same by similarity where the pairs carry it; what the policy says without a reference
    (likelihood_accuracy, likelihood_margin); and whether the policy is right as often as sigmoid(beta * margin) says
    (calibration, ece). NAME_low and NAME_high are a 95% interval: Wilson's for shares, with pairs of one prompt counted
    for what they are worth together; drawn over prompts (--seed) for means. Several policies are measured one after the
    other on the same pairs; differences are each further one minus the first, of shares by Bonett and Price.

    What tools and users say inside a response is read and not scored; pairs whose responses became the same tokens are
    left out (num_same_tokens). Policy and reference must read the same token ids.

    Streams, in windows of 512 pairs; holds 48 bytes a pair and policy. With several policies it buffers the pairs on
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
    from real_cli.models.score.model_pair import ModelPair
    from real_cli.report.html import check_report

    _check(policy, beta)
    check_report(report)

    def load(name: str, other: str | None) -> ModelPair:
        return ModelPair(
            name, other, device=device, precision=dtype, attention=attention, layout=layout,
            batch_tokens=batch_tokens, max_length=max_length, told=speaker(quiet),
        )  # fmt: skip

    job = Job(
        files or [],
        also_writes=[path for path in (rows, export_logps, report) if path],
        also_reads=[("--training", training)],
        output=output,
        on_error=on_error,
        rejects=rejects,
        quiet=quiet,
        max_line_bytes=max_line_bytes,
        reading=SourceOptions(input_format),
        what="pairs",
    )
    run = MarginRun(
        policy, reference, load, beta=beta, seed=seed, rows=rows, export=export_logps,
        curves=_read_training(training, report), has_examples=report is not None,
    )  # fmt: skip
    return run_evaluation(run, job, report)


def _check(policies: list[str], beta: float) -> None:
    if not 0 < beta < math.inf:
        raise UsageError(f"--beta {beta}: must be greater than 0, and finite")
    places = [Path(name).resolve() if Path(name).exists() else name for name in policies]  # ./easy is easy
    for name, place in zip(policies, places, strict=True):
        if places.count(place) > 1:
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
