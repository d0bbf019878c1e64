"""real eval pairs: the health of a set of pairs."""

from pathlib import Path
from typing import Annotated

import typer

from real_cli.commands.guard import guarded
from real_cli.commands.options import (
    Files,
    MaxLineBytes,
    OnErrorOption,
    Output,
    Quiet,
    Rejects,
)
from real_cli.core.names import OnError
from real_cli.errors import Status, UsageError
from real_cli.streams.job import Job
from real_cli.streams.jsonl import MAX_LINE_BYTES
from real_cli.streams.tables import show_table


@guarded
def pairs(
    files: Files = None,
    *,
    pool: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            show_default=False,
            help="The candidates that the pairs were chosen from, for the labels saved.",
        ),
    ] = None,
    output: Output = None,
    on_error: OnErrorOption = OnError.fail,
    rejects: Rejects = None,
    max_line_bytes: MaxLineBytes = MAX_LINE_BYTES,
    quiet: Quiet = False,
) -> Status:
    """Measure the health of a set of pairs.

    Counts (labels, repeats, equal texts, labels against their scores), the distributions of similarity and score gap
    and their rank correlation (does similarity add to what scores say?), length bias, and the labels saved against all
    possible pairs and against the input's.

    Streams; holds three numbers and two digests a pair.

    \b
    Examples:
      real eval pairs pairs.jsonl
      real eval pairs --from candidates.jsonl pairs.jsonl | jq .saved_of_possible_pairs
    """
    from real_cli.core.health import PairHealth, PoolCount, check_pair

    if pool == Path("-"):
        raise UsageError("--from -: the pairs come from standard input; name a file")
    health = PairHealth()
    count = PoolCount() if pool else None
    job = Job(
        files or [],
        output=output,
        on_error=on_error,
        rejects=rejects,
        quiet=quiet,
        max_line_bytes=max_line_bytes,
        what="pairs",
    )
    with job:
        if pool and count:
            with Job([str(pool)], output=Path("/dev/null"), quiet=True, max_line_bytes=max_line_bytes) as source:
                for located in source.records():
                    count.add(located.record)
        for located in job.check(check_pair, job.records()):
            health.add(located.record)
        summary = health.summary(count)
        job.write(summary)
    show_table("pairs", summary, quiet=quiet)
    return job.status
