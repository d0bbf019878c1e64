"""real relabel judge: have a language model compare or rate responses."""

from functools import partial
from typing import TYPE_CHECKING

from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.records.choices import Ties
from real_cli.relabel.judge.options import JudgeOptions, choose_members

if TYPE_CHECKING:
    from pathlib import Path

    from real_cli.cli.panel_members import PanelMember
    from real_cli.io.job import Job
    from real_cli.llm.rubric import Rubric
    from real_cli.records.record import Record

    Reads = list[tuple[str, Path | None]]


@typed_command
def judge(options: JudgeOptions) -> Status:
    """Have a language model compare or rate responses, by a rubric.

    With 'pairwise' a pair is judged in both orders: it is labeled where both agree, and is a tie where not; the summary
    says how often the verdict flipped with the order. More than two responses get the matrix 'preferences', which
    'relabel winprob' reads. A rubric that rates ('ultrafeedback', or your own) gives each response 'score', the mean of
    its ratings, 'ratings' and 'rationales'; labels stay. One that asks about the prompt ('magpie') needs no responses
    and adds 'quality_explanation', 'input_quality', 'intent', 'knowledge', 'difficulty' and 'task_category', or your
    own fields. Model, rubric, its hash and, of a pair, both raw answers stay on the record.

    Several --model make a panel: each compares or rates, and --vote decides. The record then has 'verdicts', what each
    said, 'agreement', the share of them who say what the panel says, and, of a pair, 'prob_chosen' and 'prob_rejected',
    the mean of their probabilities: 1, 0.5 or 0 by the verdict in each order, or what --logprobs tells. 'train-dpo
    --weight-field agreement' and '--loss sppo' read them. --escalate-to puts what they are unsure of to a better judge,
    who decides it alone; the summary says what it was spared. With several servers each model names its own, as
    NAME@URL#VARIABLE, and --price takes IN,OUT:IN,OUT, one for each model. With --quorum a judge that fails costs no
    record.

    An answer that fails or cannot be read costs its own record only: the record goes to --rejects with the reason, the
    run continues, and the status is 3. Answers are stored: run the same command again and only missing ones are asked
    for. Without --endpoint the model runs here.

    Streams: records are written in their order, as soon as their answers are there.

    \b
    Examples:
      real relabel judge --endpoint http://localhost:8000/v1 -m qwen pairs.jsonl > labeled.jsonl
      real relabel judge -m smollm2 pairs.jsonl --rejects failed.jsonl > labeled.jsonl
      real relabel judge -m qwen -m gemma -m llama --endpoint http://localhost:8000/v1 pairs.jsonl > labeled.jsonl
      real relabel judge --endpoint http://localhost:8000/v1 -m small --escalate-below 0.8 --escalate-to big pairs.jsonl
      real relabel judge -m smollm2 --rubric magpie prompts.jsonl > tagged.jsonl
      real relabel judge -m gpt-4o-mini --rubric ultrafeedback --emit-requests asked.jsonl candidates.jsonl
      real relabel judge -m gpt-4o-mini --rubric ultrafeedback --apply-results done.jsonl candidates.jsonl
    """
    from real_cli.llm.rubric_files import read_rubric, rubric_path

    rubric = read_rubric(options.rubric)
    members, further = choose_members(options, rubric)
    reads = [("--rubric", rubric_path(options.rubric))]
    if options.is_panel:
        return _judge_by_panel(options, rubric, members, further, reads)
    return _judge_alone(options, rubric, members[0], reads)


def _judge_alone(options: JudgeOptions, rubric: "Rubric", member: "PanelMember", reads: "Reads") -> Status:
    from real_cli.cli.llm import Asking
    from real_cli.relabel.judge.judge import JudgeTally, adapter_of, begin_judging

    asking = Asking(member.options, member.name)
    tally = JudgeTally()
    job = options.job(also_reads=reads)
    begin = partial(begin_judging, rubric=rubric, model=member.name, seed=options.seed)
    if options.dry_run:
        return asking.rehearse(job, begin, job.records(adapter_of(rubric)))
    with job, asking:
        for place, record, judged in job.counter.finished(asking(job, begin, job.records(adapter_of(rubric)))):
            tally.add(judged)
            _write(options, job, place, record, judged.record, is_tie=judged.is_tie)
        job.summary = tally.sentence() + asking.sentence()
    return job.status


def _judge_by_panel(
    options: JudgeOptions,
    rubric: "Rubric",
    members: "list[PanelMember]",
    further: "list[PanelMember]",
    reads: "Reads",
) -> Status:
    from real_cli.relabel.judge.judge import adapter_of
    from real_cli.relabel.judge.panel import JudgePanel

    panel = JudgePanel(options, rubric, members, further)
    job = options.job(also_reads=reads)
    if options.dry_run:
        return panel.rehearse(job, job.records(adapter_of(rubric)))
    with job, panel:
        for place, record, judged in job.counter.finished(panel(job, job.records(adapter_of(rubric)))):
            _write(options, job, place, record, judged.record, is_tie=judged.is_tie)
        job.summary = panel.sentence()
    return job.status


def _write(options: JudgeOptions, job: "Job", place: str, record: "Record", judged: "Record", *, is_tie: bool) -> None:
    if is_tie and options.ties is Ties.drop:
        job.drop(place, record, "tie")
        return
    job.write(judged)
    job.flush()  # the next answer may take a while
