"""real relabel reward: score responses by a reward model."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.guard import guarded
from real_cli.cli.options import (
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
from real_cli.io.job import Job
from real_cli.io.jsonl import MAX_LINE_BYTES
from real_cli.io.progress import speaker
from real_cli.io.sources import SourceOptions
from real_cli.records.choices import OnError, Precision
from real_cli.records.record import Record
from real_cli.relabel.scored import ScoreField, write_scored

if TYPE_CHECKING:
    from real_cli.relabel.label_check import LabelCheck


@guarded
def reward(
    files: Files = None,
    *,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="A sequence classifier of transformers, or a CrossEncoder: a folder or a hub name.",
        ),
    ],
    field: ScoreField = "score",
    label: Annotated[
        int | None,
        typer.Option(
            "--label",
            metavar="N",
            min=0,
            show_default=False,
            help="Which label is the score, from 0; only needed for a model with several.",
        ),
    ] = None,
    no_chat_template: Annotated[
        bool,
        typer.Option("--no-chat-template", help="Read prompt and response as a text pair even if there is a template."),
    ] = False,
    pairwise: Annotated[
        bool,
        typer.Option(
            "--pairwise",
            help="The model reads the prompt and two responses at once, and says by how much the first wins.",
        ),
    ] = False,
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            metavar="TEXT",
            show_default="the three with the tokenizer's separator between them",
            help="With --pairwise: one text of {prompt}, {response_a} and {response_b}.",
        ),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(
            "--max-length",
            metavar="N",
            min=2,
            show_default="the model's own",
            help="Most tokens of a sequence. What is longer loses the beginning of its prompt, is counted and told.",
        ),
    ] = None,
    batch_tokens: BatchTokens = None,
    device: Device = "auto",
    dtype: Dtype = Precision.auto,
    output: Output = None,
    on_error: OnErrorOption = OnError.fail,
    rejects: Rejects = None,
    input_format: InputFormatOption = None,
    max_line_bytes: MaxLineBytes = MAX_LINE_BYTES,
    quiet: Quiet = False,
) -> Status:
    """Score responses by a reward model.

    Reads candidates or pairs; adds 'score' to each response (score_chosen and score_rejected to a pair): the raw logit,
    no activation applied. A tokenizer with a chat template reads prompt and response as a conversation, another one as
    a text pair. With --pairwise each two responses are asked about in both orders, m = (d(a, b) - d(b, a)) / 2:
    candidates get 'preferences', the matrix of sigmoid(m), and a pair gets 'margin', m(chosen, rejected).
    Labels nothing and leaves nothing out; labels that disagree are counted.

    Streams, in windows of about 2,000 responses: memory does not grow with the input.

    \b
    Examples:
      real relabel reward --model ./reward candidates.jsonl | real pair --strategy best-worst > pairs.jsonl
      real relabel reward --model ./reward --field score_reward pairs.jsonl
      real relabel reward --model ./ranker --pairwise candidates.jsonl | real relabel winprob --from preferences
    """
    from real_cli.models.reward.reward_models import load_reward_model
    from real_cli.models.reward.reward_texts import check_template
    from real_cli.models.reward.rewards import PairwiseRewards, PointwiseRewards, SequenceScorer
    from real_cli.relabel.label_check import LabelCheck
    from real_cli.relabel.scored import check_field

    _check_options(pairwise, template=template, no_chat_template=no_chat_template, field=field)
    check_field(field)
    check_template(template)
    load = partial(load_reward_model, model, device=device, precision=dtype, max_length=max_length, label=label)
    scorer = SequenceScorer(load, batch_tokens=batch_tokens, told=speaker(quiet))
    rewards: PointwiseRewards | PairwiseRewards = (
        PairwiseRewards(scorer, template=template)
        if pairwise
        else PointwiseRewards(scorer, chat_template=not no_chat_template)
    )
    check = LabelCheck()
    mark = partial(_mark_pairwise if pairwise else _mark_pointwise, check, field)
    job = Job(
        files or [],
        output=output,
        on_error=on_error,
        rejects=rejects,
        quiet=quiet,
        max_line_bytes=max_line_bytes,
        reading=SourceOptions(input_format),
    )
    with job:
        write_scored(job, scorer(job.apply(rewards.read, job.records())), mark)
        job.summary = "; ".join(filter(None, (rewards.sentence(), check.sentence())))
    return job.status


def _check_options(pairwise: bool, *, template: str | None, no_chat_template: bool, field: str) -> None:
    """Refuse options of the one way of asking where the other one is used."""
    if template is not None and not pairwise:
        raise UsageError("--template: says how two responses stand in one text; give --pairwise with it")
    if no_chat_template and pairwise:
        raise UsageError("--no-chat-template: --pairwise uses none; leave it out")
    if field != "score" and pairwise:
        raise UsageError("--field: --pairwise gives responses no score of their own; leave it out")


def _mark_pointwise(check: "LabelCheck", field: str, record: Record, logits: list[float]) -> Record:
    from real_cli.relabel.scored import add_scores

    made = add_scores(record, logits, field)
    check.add(record, logits, field)
    return made


def _mark_pairwise(check: "LabelCheck", field: str, record: Record, logits: list[float]) -> Record:
    from real_cli.models.reward.rewards import difference_matrix
    from real_cli.records.response_fields import responses_of
    from real_cli.relabel.reward.scores import add_differences, antisymmetrize

    differences = difference_matrix(len(responses_of(record)), logits)
    made = add_differences(record, differences)
    check.add(record, antisymmetrize(differences).sum(axis=1).tolist())
    return made
