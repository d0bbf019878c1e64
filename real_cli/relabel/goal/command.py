"""real relabel goal: each pair twice, once for the goal each response reaches."""

from dataclasses import dataclass
from typing import Annotated

import typer

from real_cli.cli.option_sets import ScoredStreamOptions
from real_cli.cli.shard_options import ShardOptions
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.records.record import Record
from real_cli.relabel.goal.choices import DEFAULT_TEMPLATE, Placement


@dataclass(frozen=True, kw_only=True)
class GoalOptions(ShardOptions, ScoredStreamOptions):
    """Where the goal goes, and its wording."""

    placement: Annotated[
        Placement,
        typer.Option("--placement", help="Where the goal goes: a system message, or in front of the first user turn."),
    ] = Placement.user
    template: Annotated[
        str, typer.Option("--template", metavar="TEXT", help="The goal in words; {goal} is the score.")
    ] = DEFAULT_TEMPLATE
    strip: Annotated[
        bool, typer.Option("--strip", help="Undo it: take the goal out, and the better response is chosen again.")
    ] = False


@typed_command
def goal(options: GoalOptions) -> Status:
    """Turn each pair into two that state the score to aim at: as it is, and with the labels swapped.

    Reads pairs with score_chosen and score_rejected; writes twice as many, each with 'goal' and the goal in its prompt.
    Equal scores would contradict themselves: they are left out and counted. Reference log-probabilities are removed:
    the prompt is another one now. Train on the result with plain DPO, and ask for the best score when you generate.

    Streams: two pairs are written as soon as one is read.

    \b
    Examples:
      real pair --strategy best-random scored.jsonl | real relabel goal > augmented.jsonl
      real relabel goal --placement system --template 'Overall quality: {goal} of 10.' pairs.jsonl
      real relabel goal --strip augmented.jsonl
    """
    from real_cli.records.record import check_labeled
    from real_cli.relabel.goal.goal import add_goals, check_template, strip_goal
    from real_cli.text.phrases import say_count

    placement, template = options.placement, options.template
    check_template(template)
    job = options.job()

    def goals(record: Record) -> tuple[Record, list[Record]]:
        check_labeled(record)
        rows = [strip_goal(record, placement, template)] if options.strip else add_goals(record, placement, template)
        return record, rows

    num_written = 0
    with job:
        for place, (record, rows) in job.apply(goals, job.records()):
            if not rows:
                job.drop(place, record, "equal scores")
            for row in rows:
                job.write(row)
            num_written += len(rows)
        job.summary = say_count(num_written, "pair")
    return job.status
