"""real relabel judge: have a language model compare or rate responses."""

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
    Seed,
)
from real_cli.errors import Status
from real_cli.io.jsonl import MAX_LINE_BYTES
from real_cli.records.choices import OnError, Precision, Ties


@guarded
def judge(
    files: Files = None,
    *,
    model: own.Model,
    rubric: Annotated[
        str,
        typer.Option(
            "--rubric", metavar="NAME", help="What is asked: pairwise, ultrafeedback, magpie, or a TOML file."
        ),
    ] = "pairwise",
    ties: Annotated[
        Ties, typer.Option("--ties", help="Leave tied pairs out, or keep them unlabeled, for 'real eval winrate'.")
    ] = Ties.drop,
    show: own.ShowRubric = None,
    seed: Seed = 0,
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
    """Have a language model compare or rate responses, by a rubric.

    With 'pairwise' a pair is judged in both orders: it is labeled where both agree, and else a tie; how often the
    verdict flipped with the order is told. More than two responses get the matrix 'preferences', which 'relabel
    winprob' reads. A rubric that rates ('ultrafeedback', or one's own) gives each response 'score', the mean of its
    ratings, 'ratings' and 'rationales'; labels stay. One that asks of the prompt ('magpie') needs no responses and adds
    'quality_explanation', 'input_quality', 'intent', 'knowledge', 'difficulty' and 'task_category', or fields of one's
    own. Model, rubric, its hash and, of a pair, both raw answers stay on the record.

    An answer that fails, or says nothing that can be read, costs its own record only: it goes to --rejects with the
    reason, the run goes on, and the status is 3. Answers are kept: run the same command again and only what is missing
    is asked. Without --endpoint the model runs here.

    Streams: records are written in their order, as soon as their answers are there.

    \b
    Examples:
      real relabel judge --endpoint http://localhost:8000/v1 -m qwen pairs.jsonl > labeled.jsonl
      real relabel judge -m smollm2 pairs.jsonl --rejects failed.jsonl > labeled.jsonl
      real relabel judge -m smollm2 --rubric magpie prompts.jsonl > tagged.jsonl
      real relabel judge -m gpt-4o-mini --rubric ultrafeedback --emit-requests asked.jsonl candidates.jsonl
      real relabel judge -m gpt-4o-mini --rubric ultrafeedback --apply-results done.jsonl candidates.jsonl
    """
    from real_cli.cli.llm import Asking
    from real_cli.io.job import Job
    from real_cli.io.sources import SourceOptions
    from real_cli.llm.rubric_files import read_rubric, rubric_path
    from real_cli.relabel.judge.judge import JudgeTally, adapter_of, begin_judging

    asked = read_rubric(rubric)
    asking = Asking(locals())
    tally = JudgeTally()
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
        located = job.records(adapter_of(asked))
        for place, record, judged in asking(job, lambda record: begin_judging(record, asked, model, seed), located):
            tally.add(judged)
            if judged.is_tie and ties is Ties.drop:
                job.drop(place, record, "tie")
            else:
                job.write(judged.record)
                job.flush()  # the next one may take a while
        job.summary = tally.sentence() + asking.sentence()
    return job.status
