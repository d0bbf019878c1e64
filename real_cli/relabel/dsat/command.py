"""real relabel dsat: find replies that left a user dissatisfied."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from real_cli.cli.completion_values import rubric_names
from real_cli.cli.llm_options import LlmOptions, OptionalModel, ShowRubric
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status, UsageError


@dataclass(frozen=True, kw_only=True)
class DsatOptions(LlmOptions):
    """The judge, and which records are written."""

    model: OptionalModel = None
    rubric: Annotated[
        str,
        typer.Option(
            "--rubric",
            metavar="NAME",
            autocompletion=rubric_names("dsat"),
            help="What to ask: dsat, or a TOML file (asks = 'turn').",
        ),
    ] = "dsat"
    show: ShowRubric = None
    lexical: Annotated[
        bool,
        typer.Option(
            "--lexical",
            help="Ask no model: go by a list of English phrases, a rule of thumb that sees outright complaints alone, "
            "and misreads some.",
        ),
    ] = False
    seeds: Annotated[
        bool,
        typer.Option(
            "--seeds", help="Write only complaints that a later reply satisfied, with that one as 'chosen': pairs."
        ),
    ] = False


@typed_command
def dsat(options: DsatOptions) -> Status:
    """Find replies that left a user dissatisfied, in a conversation (DRIFT).

    Reads conversations ('prompt', 'messages' or 'conversation': lists of {role, content}; turns of a 'history' come
    first). Each user turn that follows a reply is judged by what was said up to it. Writes a record for each
    dissatisfied one: 'prompt' (what led to the reply), 'rejected' (the reply as it is), 'user_preference' (the
    complaint), 'dsat' (turn, reason, who judged). With --seeds those that a later reply satisfied become pairs. A
    'prompt' beside 'messages' is kept as 'original_prompt'. A record that has 'dsat' is refused: complaints that came
    before its own would be found again.

    Answers, failures, caches and batches are as with 'relabel judge'.

    Streams: records are written in their order, as soon as their answers are there.

    \b
    Examples:
      real relabel dsat --endpoint http://localhost:8000/v1 -m qwen wildchat.jsonl > dissatisfied.jsonl
      real relabel dsat --lexical --seeds wildchat.jsonl > seeds.jsonl
    """
    from real_cli.cli.llm import Asking
    from real_cli.llm.rubric import DETECTING
    from real_cli.llm.rubric_files import read_rubric, rubric_path
    from real_cli.relabel.dsat.dissatisfaction import Dissatisfaction, adapt_dialogue, begin_detecting, feel_lexically

    if (options.model is None) != options.lexical:
        raise UsageError("name a --model that judges, or take the list of phrases with --lexical; one of the two")
    if options.lexical and options.rubric != DsatOptions.rubric:
        raise UsageError("--rubric: nobody is asked with --lexical; leave it out")
    asking = Asking(options, options.model)
    asked = read_rubric(options.rubric, DETECTING)
    begin = feel_lexically if options.lexical else partial(begin_detecting, rubric=asked)
    judged_by = {"model": options.model, "rubric": asked.name, "rubric_hash": asked.digest}
    detector = Dissatisfaction({"method": "lexical rule"} if options.lexical else judged_by, seeds=options.seeds)
    job = options.job(also_reads=[("--rubric", rubric_path(options.rubric))])
    if options.dry_run:
        return asking.rehearse(job, begin, job.records(adapt_dialogue))
    with job, asking:
        for _, record, felt in job.counter.finished(asking(job, begin, job.records(adapt_dialogue))):
            for row in detector(record, felt):
                job.write(row)
        job.summary = detector.sentence() + asking.sentence()
    return job.status
