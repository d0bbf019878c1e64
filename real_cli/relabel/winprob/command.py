"""real relabel winprob: how probable it is that each response beats the others of its prompt."""

from dataclasses import dataclass
from typing import Annotated

import typer

from real_cli.cli.option_sets import ScoredStreamOptions
from real_cli.cli.options import MaxResponses
from real_cli.cli.shard_options import ShardOptions
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status, UsageError
from real_cli.records.choices import MAX_RESPONSES, TEMPERATURE
from real_cli.records.record import Record
from real_cli.relabel.winprob.choices import Evidence


@dataclass(frozen=True, kw_only=True)
class WinprobOptions(ShardOptions, ScoredStreamOptions):
    """The evidence of who beats whom, and what is written."""

    evidence: Annotated[
        Evidence,
        typer.Option(
            "--from",
            help="What says who beats whom: 'scores', by Bradley and Terry, or the matrix in 'preferences' that a "
            "judge or a pairwise reward model left on candidates.",
        ),
    ] = Evidence.scores
    temperature: Annotated[
        float | None,
        typer.Option(
            "--temperature",
            metavar="T",
            show_default=f"{TEMPERATURE:g}",
            help="What a gap in score is divided by; the larger, the nearer to even odds.",
        ),
    ] = None
    matrix: Annotated[bool, typer.Option("--matrix", help="Also write the matrix as 'preferences', on candidates.")] = (
        False
    )
    max_responses: MaxResponses = MAX_RESPONSES


@typed_command
def winprob(options: WinprobOptions) -> Status:
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

    if options.temperature is not None and options.evidence is Evidence.preferences:
        raise UsageError("--temperature: divides gaps in score, and --from preferences reads none; leave it out")
    if "max_responses" in options.given and not options.matrix:
        raise UsageError("--max-responses: bounds the matrix that --matrix writes; give both, or neither")
    read, divisor = PREFERENCES[options.evidence], check_temperature(options.temperature)
    job = options.job()

    def with_probabilities(record: Record) -> Record:
        if not options.matrix:
            return add_win_probabilities(record, win_probabilities(read(record, divisor)))
        check_order(record)
        check_size(record, options.max_responses)
        rows = list(read(record, divisor))
        preferences = [row for block in rows for row in block.tolist()]
        return add_win_probabilities(record, win_probabilities(rows)) | {"preferences": preferences}

    num_records = num_responses = 0
    with job:
        for _, record in job.apply(with_probabilities, job.records(adapt_unread)):
            job.write(record)
            num_records += 1
            num_responses += len(responses_of(record))
        job.summary = f"{say_count(num_responses, 'response')} of {say_count(num_records, 'prompt')}"
    return job.status
