"""real merge: put the outputs of shards together."""

from dataclasses import dataclass
from typing import Annotated

import typer

from real_cli.cli.option_sets import STREAM, Options
from real_cli.cli.options import MaxLineBytes, OutputFile
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.records.choices import MAX_LINE_BYTES


@dataclass(frozen=True, kw_only=True)
class MergeOptions(Options):
    """Which parts, and where the whole goes."""

    TITLE = STREAM

    parts: Annotated[
        list[str],
        typer.Argument(
            metavar="PART...", show_default=False, help="The output of each shard, compressed or not, in any order."
        ),
    ]
    output: OutputFile = None
    max_line_bytes: MaxLineBytes = MAX_LINE_BYTES


@typed_command
def merge(options: MergeOptions) -> Status:
    """Put the outputs of shards into their input's order.

    Reads what runs with --shard I/N --numbered wrote, themselves or through a pipe of other commands, a file a shard,
    and takes the field 'shard' off again: what is written is what one run on the whole input writes. A record may have
    left one line, several or none. A part that lacks is named and nothing is written; one without a line may be any
    shard. Parts of runs without --numbered have no order to restore: 'cat' does for them.

    Streams: memory holds a line of each part.

    \b
    Examples:
      real merge part.*.jsonl > whole.jsonl
      real merge -o pairs.jsonl pairs.1.jsonl pairs.2.jsonl pairs.3.jsonl
    """
    from real_cli.merge.parts import merge_parts

    return merge_parts(options.parts, options.output, options.max_line_bytes, quiet=options.quiet)
