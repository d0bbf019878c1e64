"""real relabel bridge: edit the rejected response towards the chosen one."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from real_cli.cli.completion_values import rubric_names
from real_cli.cli.llm_options import LlmOptions, OptionalModel, ShowRubric
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status, UsageError


@dataclass(frozen=True, kw_only=True)
class BridgeOptions(LlmOptions):
    """The editor, or the field that holds the edit."""

    model: OptionalModel = None
    rubric: Annotated[
        str,
        typer.Option(
            "--rubric",
            metavar="NAME",
            autocompletion=rubric_names("bridge"),
            help="What to ask: bridge, or a TOML file (asks = 'edit').",
        ),
    ] = "bridge"
    show: ShowRubric = None
    field: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FIELD",
            show_default=False,
            help="Ask no model: take the edited response from this field of the record, which is removed.",
        ),
    ] = None


@typed_command
def bridge(options: BridgeOptions) -> Status:
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
    from real_cli.llm.rubric import BRIDGING
    from real_cli.llm.rubric_files import read_rubric, rubric_path
    from real_cli.relabel.bridge.edit import begin_bridging, bridge_from, check_edit_field

    model, field = options.model, options.field
    if (model is None) == (field is None):
        raise UsageError("name a --model that edits, or the field that holds the edit with --from; one of the two")
    if field is not None and options.rubric != BridgeOptions.rubric:
        raise UsageError("--rubric: nobody is asked with --from; leave it out")
    asking = Asking(options, model)
    asked = read_rubric(options.rubric, BRIDGING)
    begin = partial(begin_bridging, rubric=asked, model=str(model))
    if field is not None:
        begin = partial(bridge_from, field=check_edit_field(field))
    job = options.job(also_reads=[("--rubric", rubric_path(options.rubric))])
    if options.dry_run:
        return asking.rehearse(job, begin)
    num_bridged = 0
    with job, asking:
        for place, record, bridged in job.counter.finished(asking(job, begin)):
            if bridged is None:
                job.drop(place, record, "edit that changed nothing")
            else:
                job.write(bridged)
                num_bridged += 1
        job.summary = f"{num_bridged:,} bridged" + asking.sentence()
    return job.status
