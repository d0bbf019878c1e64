"""real relabel winprob: how probable it is that each response beats the others of its prompt."""

from typing import Annotated

import typer

from real_cli.cli.guard import guarded
from real_cli.cli.options import (
    Files,
    InputFormatOption,
    MaxLineBytes,
    MaxResponses,
    OnErrorOption,
    Output,
    Quiet,
    Rejects,
    ScoreName,
)
from real_cli.errors import Status, UsageError
from real_cli.io.job import Job
from real_cli.io.jsonl import MAX_LINE_BYTES
from real_cli.io.sources import SourceOptions
from real_cli.records.choices import OnError
from real_cli.records.record import Record
from real_cli.relabel.winprob.choices import Evidence


@guarded
def winprob(
    files: Files = None,
    *,
    evidence: Annotated[
        Evidence,
        typer.Option(
            "--from",
            help="What says who beats whom: 'scores', by Bradley and Terry, or the matrix in 'preferences' that a "
            "judge or a pairwise reward model left on candidates.",
        ),
    ] = Evidence.scores,
    temperature: Annotated[
        float | None,
        typer.Option(
            "--temperature",
            metavar="T",
            show_default="1",
            help="What a gap in score is divided by; the larger, the nearer to even odds.",
        ),
    ] = None,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="Also write the matrix as 'preferences', on candidates.")
    ] = False,
    max_responses: MaxResponses = None,
    output: Output = None,
    on_error: OnErrorOption = OnError.fail,
    rejects: Rejects = None,
    input_format: InputFormatOption = None,
    score: ScoreName = None,
    max_line_bytes: MaxLineBytes = MAX_LINE_BYTES,
    quiet: Quiet = False,
) -> Status:
    """Add to each response its probability of winning.

    Reads candidates or pairs with scores, or candidates with 'preferences'; adds 'prob' to each response (prob_chosen
    and prob_rejected to a pair): the mean over all responses of the prompt, itself at 1/2, of P = sigmoid(gap / T).
    Where no response has a score, it is the score too. Labels nothing: 'real pair' does, and carries the numbers to
    where 'real train-dpo --loss sppo' reads them.

    Streams: a record is written as soon as it is read.

    \b
    Examples:
      real relabel winprob scored.jsonl | real pair --strategy best-worst > pairs.jsonl
      real relabel winprob --from preferences judged.jsonl
    """
    from real_cli.records.layouts import adapt_unread
    from real_cli.records.preferences import check_order, check_size
    from real_cli.records.response_fields import responses_of
    from real_cli.relabel.scored import check_temperature
    from real_cli.relabel.winprob.probabilities import PREFERENCES, add_win_probabilities, win_probabilities
    from real_cli.text.phrases import say_count

    if temperature is not None and evidence is Evidence.preferences:
        raise UsageError("--temperature: divides gaps in score, and --from preferences reads none; leave it out")
    if max_responses is not None and not matrix:
        raise UsageError("--max-responses: bounds the matrix that --matrix writes; give both, or neither")
    read, divisor = PREFERENCES[evidence], check_temperature(temperature)
    job = Job(
        files or [],
        output=output,
        on_error=on_error,
        rejects=rejects,
        quiet=quiet,
        max_line_bytes=max_line_bytes,
        reading=SourceOptions(input_format, score=score),
    )

    def with_probabilities(record: Record) -> Record:
        if not matrix:
            return add_win_probabilities(record, win_probabilities(read(record, divisor)))
        check_order(record)
        check_size(record, max_responses)
        rows = list(read(record, divisor))
        preferences = [row for block in rows for row in block.tolist()]
        return add_win_probabilities(record, win_probabilities(rows)) | {"preferences": preferences}

    num_records = num_responses = 0
    with job:
        for _, made in job.apply(with_probabilities, job.records(adapt_unread)):
            job.write(made)
            num_records += 1
            num_responses += len(responses_of(made))
        job.summary = f"{say_count(num_responses, 'response')} of {say_count(num_records, 'prompt')}"
    return job.status
