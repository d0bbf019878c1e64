"""real relabel bridge: edit the rejected response towards the chosen one."""

from functools import partial
from typing import Annotated

import typer

from real_cli.cli import llm_options as own
from real_cli.cli.guard import guarded
from real_cli.cli.options import (
    Base,
    BatchTokens,
    Device,
    Dtype,
    Files,
    InputFormatOption,
    MaxLineBytes,
    OnErrorOption,
    Output,
    Quiet,
    Rejects,
)
from real_cli.errors import Status, UsageError
from real_cli.io.jsonl import MAX_LINE_BYTES
from real_cli.records.choices import OnError, Precision


@guarded
def bridge(
    files: Files = None,
    *,
    model: own.OptionalModel = None,
    rubric: Annotated[
        str, typer.Option("--rubric", metavar="NAME", help="What is asked: bridge, or a TOML file (asks = 'edit').")
    ] = "bridge",
    show: own.ShowRubric = None,
    field: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FIELD",
            show_default=False,
            help="Ask nobody: the edited response is in this field of the record, which is removed.",
        ),
    ] = None,
    endpoint: own.EndpointOption = None,
    key_variable: own.KeyVariable = own.KEY_VARIABLE,
    concurrency: own.Concurrency = own.CONCURRENCY,
    retries: own.Retries = own.RETRIES,
    timeout: own.TimeoutOption = own.TIMEOUT_SECONDS,
    thinks: own.Thinks = False,
    cache: own.CacheFolder = None,
    no_cache: own.NoCacheOption = False,
    emit_requests: own.EmitRequests = None,
    apply_results: own.ApplyResults = None,
    price: own.PriceOption = None,
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
    """Edit the rejected response towards the chosen one.

    A language model edits (BMC). The edit becomes 'chosen', what was chosen stays as 'chosen_original'; what was
    measured on that is called X_original, and reference log-probabilities and degraded copies are removed. An edit
    that changes nothing is left out and counted. Train on the result with 'train-dpo --loss bmc'. A bridged record is
    bridged from its original again.

    Answers, failures, caches and batches are as with 'relabel judge'.

    Streams: records are written in their order, as soon as their answers are there.

    \b
    Examples:
      real relabel bridge --endpoint http://localhost:8000/v1 -m qwen pairs.jsonl > bridged.jsonl
      real relabel bridge --from edit edited.jsonl | real train-dpo --loss bmc --policy smollm2 -o aligned
    """
    from real_cli.cli.llm import Asking
    from real_cli.io.job import Job
    from real_cli.io.sources import SourceOptions
    from real_cli.llm.rubric import BRIDGING
    from real_cli.llm.rubric_files import read_rubric, rubric_path
    from real_cli.relabel.bridge.edit import begin_bridging, bridge_from, check_edit_field

    if (model is None) == (field is None):
        raise UsageError("name a --model that edits, or the field that holds the edit with --from; one of the two")
    if field is not None and rubric != "bridge":
        raise UsageError("--rubric: nobody is asked with --from; leave it out")
    asking = Asking(locals())
    asked = read_rubric(rubric, BRIDGING)
    begin = partial(begin_bridging, rubric=asked, model=str(model))
    if field is not None:
        begin = partial(bridge_from, field=check_edit_field(field))
    job = Job(
        files or [],
        output=output,
        also_writes=[emit_requests] if emit_requests else [],
        also_reads=[("--apply-results", apply_results), ("--rubric", rubric_path(rubric))],
        on_error=on_error,
        rejects=rejects,
        quiet=quiet,
        max_line_bytes=max_line_bytes,
        reading=SourceOptions(input_format),
    )
    num_bridged = 0
    with job, asking:
        for place, record, bridged in asking(job, begin):
            if bridged is None:
                job.drop(place, record, "edit that changed nothing")
            else:
                job.write(bridged)
                num_bridged += 1
        job.summary = f"{num_bridged:,} bridged" + asking.sentence()
    return job.status
