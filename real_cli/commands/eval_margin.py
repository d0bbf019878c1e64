"""real eval margin: how far a policy prefers the chosen responses."""

from contextlib import ExitStack
from typing import Annotated

import typer

from real_cli.commands.guard import guarded
from real_cli.commands.options import (
    AttentionOption,
    BatchTokens,
    Device,
    Dtype,
    ExportLogps,
    Files,
    Layout,
    MaxLength,
    MaxLineBytes,
    OnErrorOption,
    Output,
    Quiet,
    Reference,
    Rejects,
)
from real_cli.core.names import Attention, OnError, Precision, TokenLayout
from real_cli.core.records import check_labeled
from real_cli.errors import Status
from real_cli.streams.job import Job
from real_cli.streams.jsonl import MAX_LINE_BYTES, dump_record
from real_cli.streams.output import open_output
from real_cli.streams.progress import speaker
from real_cli.streams.tables import show_table


@guarded
def margin(
    files: Files = None,
    *,
    policy: Annotated[
        str,
        typer.Option(
            "--policy",
            "-p",
            metavar="NAME",
            help="The model to measure: a folder, a .gguf file, a hub name, or smollm2.",
        ),
    ],
    reference: Reference = None,
    beta: Annotated[float, typer.Option("--beta", metavar="X", help="Scale of the implicit reward.")] = 0.1,
    max_length: MaxLength = 1024,
    export_logps: ExportLogps = None,
    attention: AttentionOption = Attention.auto,
    layout: Layout = TokenLayout.auto,
    batch_tokens: BatchTokens = None,
    device: Device = "auto",
    dtype: Dtype = Precision.auto,
    output: Output = None,
    on_error: OnErrorOption = OnError.fail,
    rejects: Rejects = None,
    max_line_bytes: MaxLineBytes = MAX_LINE_BYTES,
    quiet: Quiet = False,
) -> Status:
    """Measure how far a policy prefers the chosen responses, beyond what its reference does.

    The margin of a pair is (log-ratio of policy to reference) of chosen minus rejected. The summary has it in nats
    (margin, as REAL reports it) and times beta (margin_beta, as TRL does), the accuracy with ties told apart and a 95 %
    Wilson interval, the same by similarity where the pairs carry it, and what the policy says without a reference
    (likelihood_accuracy, likelihood_margin).

    Streams, in windows of 512 pairs; holds four numbers a pair.

    \b
    Examples:
      real eval margin --policy aligned --reference smollm2 heldout.jsonl
      real eval margin --policy aligned --reference smollm2 pairs.jsonl | jq '.accuracy, .margin'
    """
    from real_cli.core.metrics import MarginTally
    from real_cli.models.exampleset import add_reference
    from real_cli.models.margins import MarginMeter
    from real_cli.models.model_pair import ModelPair

    models = ModelPair(
        policy, reference, device=device, precision=dtype, attention=attention, layout=layout,
        batch_tokens=batch_tokens, max_length=max_length,
        told=speaker(quiet),
    )  # fmt: skip
    meter = MarginMeter(models)
    tally = MarginTally(beta)
    job = Job(
        files or [],
        also_writes=[export_logps] if export_logps else [],
        output=output,
        on_error=on_error,
        rejects=rejects,
        quiet=quiet,
        max_line_bytes=max_line_bytes,
        what="pairs",
    )
    with job, ExitStack() as stack:
        export = stack.enter_context(open_output(export_logps)) if export_logps else None
        tokenized = job.apply(meter.tokenize, job.check(check_labeled, job.records()))
        for record, measured in meter(pair for _, pair in tokenized):
            if measured is not None:
                tally.add(
                    measured.chosen_logratio,
                    measured.rejected_logratio,
                    measured.likelihood_margin,
                    measured.similarity,
                )
            if export:
                export.write(dump_record(record if measured is None else add_reference(record, measured.reference)))
        summary = tally.summary() | meter.counts()
        job.write(summary)
        job.summary = meter.sentence()
    show_table("margin", summary, quiet=quiet)
    return job.status
