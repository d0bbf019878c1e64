"""real relabel dsat: find replies that left a user dissatisfied."""

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
def dsat(
    files: Files = None,
    *,
    model: own.OptionalModel = None,
    rubric: Annotated[
        str, typer.Option("--rubric", metavar="NAME", help="What is asked: dsat, or a TOML file (asks = 'turn').")
    ] = "dsat",
    show: own.ShowRubric = None,
    lexical: Annotated[
        bool,
        typer.Option(
            "--lexical",
            help="Ask nobody: go by a list of English phrases, a rule of thumb. It sees what is said outright, and "
            "takes some of it wrongly.",
        ),
    ] = False,
    seeds: Annotated[
        bool,
        typer.Option(
            "--seeds", help="Write only complaints that a later reply satisfied, with that one as 'chosen': pairs."
        ),
    ] = False,
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
    """Find replies that left a user dissatisfied, in conversations of several turns (DRIFT).

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
    from real_cli.io.job import Job
    from real_cli.io.sources import SourceOptions
    from real_cli.llm.rubric import DETECTING
    from real_cli.llm.rubric_files import read_rubric, rubric_path
    from real_cli.relabel.dsat.dissatisfaction import Dissatisfaction, adapt_dialogue, begin_detecting, feel_lexically

    if (model is None) != lexical:
        raise UsageError("name a --model that judges, or take the list of phrases with --lexical; one of the two")
    if lexical and rubric != "dsat":
        raise UsageError("--rubric: nobody is asked with --lexical; leave it out")
    asking = Asking(locals())
    asked = read_rubric(rubric, DETECTING)
    begin = feel_lexically if lexical else partial(begin_detecting, rubric=asked)
    judged_by = {"model": model, "rubric": asked.name, "rubric_hash": asked.digest}
    found = Dissatisfaction({"method": "lexical rule"} if lexical else judged_by, seeds=seeds)
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
    with job, asking:
        for _, record, felt in asking(job, begin, job.records(adapt_dialogue)):
            for made in found(record, felt):
                job.write(made)
        job.summary = found.sentence() + asking.sentence()
    return job.status
