"""real relabel judge: have a language model compare or rate responses."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from real_cli.cli.completion_values import rubric_names
from real_cli.cli.llm_options import LlmOptions, Model, ShowRubric
from real_cli.cli.options import Seed
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.records.choices import Ties


@dataclass(frozen=True, kw_only=True)
class JudgeOptions(LlmOptions):
    """The judge, its rubric, and what becomes of ties."""

    model: Model
    rubric: Annotated[
        str,
        typer.Option(
            "--rubric",
            metavar="NAME",
            autocompletion=rubric_names("pairwise"),
            help="What to ask: pairwise, ultrafeedback, magpie, or a TOML file.",
        ),
    ] = "pairwise"
    ties: Annotated[
        Ties, typer.Option("--ties", help="Leave tied pairs out, or keep them unlabeled, for 'real eval winrate'.")
    ] = Ties.drop
    show: ShowRubric = None
    seed: Seed = 0


@typed_command
def judge(options: JudgeOptions) -> Status:
    """Have a language model compare or rate responses, by a rubric.

    With 'pairwise' a pair is judged in both orders: it is labeled where both agree, and is a tie where not; the summary
    says how often the verdict flipped with the order. More than two responses get the matrix 'preferences', which
    'relabel winprob' reads. A rubric that rates ('ultrafeedback', or your own) gives each response 'score', the mean of
    its ratings, 'ratings' and 'rationales'; labels stay. One that asks about the prompt ('magpie') needs no responses
    and adds 'quality_explanation', 'input_quality', 'intent', 'knowledge', 'difficulty' and 'task_category', or your
    own fields. Model, rubric, its hash and, of a pair, both raw answers stay on the record.

    An answer that fails or cannot be read costs its own record only: the record goes to --rejects with the reason, the
    run continues, and the status is 3. Answers are stored: run the same command again and only missing ones are asked
    for. Without --endpoint the model runs here.

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
    from real_cli.llm.rubric_files import read_rubric, rubric_path
    from real_cli.relabel.judge.judge import JudgeTally, adapter_of, begin_judging

    asked = read_rubric(options.rubric)
    asking = Asking(options, options.model)
    tally = JudgeTally()
    begin = partial(begin_judging, rubric=asked, model=options.model, seed=options.seed)
    job = options.job(also_reads=[("--rubric", rubric_path(options.rubric))])
    if options.dry_run:
        return asking.rehearse(job, begin, job.records(adapter_of(asked)))
    with job, asking:
        for place, record, judged in job.counter.finished(asking(job, begin, job.records(adapter_of(asked)))):
            tally.add(judged)
            if judged.is_tie and options.ties is Ties.drop:
                job.drop(place, record, "tie")
            else:
                job.write(judged.record)
                job.flush()  # the next answer may take a while
        job.summary = tally.sentence() + asking.sentence()
    return job.status
