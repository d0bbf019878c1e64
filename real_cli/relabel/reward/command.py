"""real relabel reward: score responses by a reward model."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.completion_values import model_names
from real_cli.cli.option_sets import DeviceOptions
from real_cli.cli.options import ScoreField
from real_cli.cli.shard_options import ShardOptions
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status, UsageError
from real_cli.records.record import Record

if TYPE_CHECKING:
    from real_cli.relabel.label_check import LabelCheck


@dataclass(frozen=True, kw_only=True)
class RewardOptions(DeviceOptions, ShardOptions):
    """The reward model, and what it reads."""

    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            autocompletion=model_names,
            help="A sequence classifier of transformers, or a CrossEncoder: a folder or a hub name.",
        ),
    ]
    field: ScoreField = "score"
    label: Annotated[
        int | None,
        typer.Option(
            "--label",
            metavar="N",
            min=0,
            show_default=False,
            help="Which label is the score, from 0; only needed for a model with several.",
        ),
    ] = None
    no_chat_template: Annotated[
        bool,
        typer.Option("--no-chat-template", help="Read prompt and response as a text pair even if there is a template."),
    ] = False
    pairwise: Annotated[
        bool,
        typer.Option(
            "--pairwise",
            help="The model reads the prompt and two responses at once, and says by how much the first wins.",
        ),
    ] = False
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            metavar="TEXT",
            show_default="the three with the tokenizer's separator between them",
            help="With --pairwise: one text of {prompt}, {response_a} and {response_b}.",
        ),
    ] = None
    max_length: Annotated[
        int | None,
        typer.Option(
            "--max-length",
            metavar="N",
            min=2,
            show_default="the model's own",
            help="Most tokens of a sequence. A longer one loses the beginning of its prompt, and is counted.",
        ),
    ] = None


@typed_command
def reward(options: RewardOptions) -> Status:
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
    from real_cli.io.progress import speaker
    from real_cli.models.reward.reward_models import load_reward_model
    from real_cli.models.reward.reward_texts import check_template
    from real_cli.models.reward.rewards import PairwiseRewards, PointwiseRewards, SequenceScorer
    from real_cli.relabel.label_check import LabelCheck
    from real_cli.relabel.scored import check_field, write_scored

    _check_options(options)
    check_field(options.field)
    check_template(options.template)
    load = partial(
        load_reward_model,
        options.model,
        device=options.device,
        precision=options.dtype,
        max_length=options.max_length,
        label=options.label,
    )
    scorer = SequenceScorer(load, batch_tokens=options.batch_tokens, tell=speaker(options.quiet))
    rewards: PointwiseRewards | PairwiseRewards = (
        PairwiseRewards(scorer, template=options.template)
        if options.pairwise
        else PointwiseRewards(scorer, chat_template=not options.no_chat_template)
    )
    check = LabelCheck()
    mark = partial(_mark_pairwise if options.pairwise else _mark_pointwise, check, options.field)
    job = options.job()
    with job:
        write_scored(job, scorer(job.apply(rewards.read, job.records())), mark)
        job.summary = "; ".join(filter(None, (rewards.sentence(), check.sentence())))
    return job.status


def _check_options(options: RewardOptions) -> None:
    """Refuse options that the chosen way of scoring does not read."""
    if options.template is not None and not options.pairwise:
        raise UsageError("--template: lays out two responses in one text; give --pairwise with it")
    if options.no_chat_template and options.pairwise:
        raise UsageError("--no-chat-template: --pairwise uses none; leave it out")
    if options.field != RewardOptions.field and options.pairwise:
        raise UsageError("--field: --pairwise gives responses no score of their own; leave it out")


def _mark_pointwise(check: "LabelCheck", field: str, record: Record, logits: list[float]) -> Record:
    from real_cli.relabel.scored import add_scores

    scored = add_scores(record, logits, field)
    check.add(record, logits, field)
    return scored


def _mark_pairwise(check: "LabelCheck", field: str, record: Record, logits: list[float]) -> Record:
    from real_cli.models.reward.rewards import difference_matrix
    from real_cli.records.response_fields import responses_of
    from real_cli.relabel.reward.scores import add_differences, antisymmetrize

    differences = difference_matrix(len(responses_of(record)), logits)
    scored = add_differences(record, differences)
    check.add(record, antisymmetrize(differences).sum(axis=1).tolist())
    return scored
