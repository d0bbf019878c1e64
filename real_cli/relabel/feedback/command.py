"""real relabel feedback: pairs and labeled replies of conversations with thumbs, regenerations, edits and copies."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.shard_options import ShardOptions
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.records.record import Record
from real_cli.relabel.feedback.choices import FeedbackRows

if TYPE_CHECKING:
    from real_cli.records.layouts import Adapted


@dataclass(frozen=True, kw_only=True)
class FeedbackOptions(ShardOptions):
    """What counts as feedback, and what is written."""

    emit: Annotated[
        FeedbackRows,
        typer.Option(
            "--emit",
            help="What is written: 'all' is pairs and labeled replies; 'pairs' counts the others and leaves them; "
            "'unpaired' writes the two sides of a pair as labeled replies too.",
        ),
    ] = FeedbackRows.all
    copies: Annotated[
        bool, typer.Option("--copies", help="Take a copied reply for a good one; a copy is a weak sign.")
    ] = False
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="NAME",
            show_default="user-feedback, feedback, thumbs, rating, vote and their kind",
            help="Name of the scores that are a user's thumbs, in place of the usual names; repeatable. 1 and true are "
            "up; 0, -1 and false down.",
        ),
    ] = None


@typed_command
def feedback(options: FeedbackOptions) -> Status:
    """Turn user feedback into pairs and labeled replies.

    Reads traces: conversations as trees or lists of messages, or calls with an input and an output, and what users did
    with the replies: thumbs, regenerations, edits, copies (SHAPES). Writes pairs ('prompt', 'chosen', 'rejected') and
    labeled replies ('prompt', 'completion', 'label'), all as messages, with the event that each comes from in 'event'
    (EVENTS). The prompt is all that was said before the reply. A trace gives one record, several or none; what gives
    none is counted (LEFT OUT). Of a trace's other fields 'tools' and 'chat_template_kwargs' are kept; identifiers,
    names and times are not.

    Streams: a trace's records are written as soon as it is read.

    \b
    Examples:
      real relabel feedback traces.jsonl > feedback.jsonl
      real relabel feedback --emit pairs traces.jsonl | real train-dpo --policy smollm2 -o aligned
    """
    from real_cli.records.layouts import PROMPT, Adapted
    from real_cli.relabel.feedback.acts import KEYS
    from real_cli.relabel.feedback.shapes import read_trace
    from real_cli.relabel.feedback.turns import FeedbackReader

    keys = options.key or KEYS

    def read(record: Record) -> "Adapted":
        tree = read_trace(record, keys)
        return Adapted({"prompt": tree.opening(), "tree": tree, "trace": record}, PROMPT)

    reader = FeedbackReader(options.emit, copies=options.copies)
    job = options.job()
    with job:
        for place, trace in job.records(read):
            mark = {name: value for name, value in trace.items() if name not in ("prompt", "tree", "trace")}
            is_empty = True
            for row in reader(trace["tree"]):
                job.write(row | mark)
                is_empty = False
            if is_empty:
                job.drop(place, trace["trace"], "without feedback that tells good from bad")
        job.summary = reader.sentence()
    return job.status
