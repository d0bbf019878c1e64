"""real relabel reward: score responses by a reward model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.completion_values import model_names
from real_cli.cli.options import ScoreField
from real_cli.cli.shard_options import ShardOptions
from real_cli.cli.spread_options import SpreadOptions
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status, UsageError

if TYPE_CHECKING:
    from real_cli.relabel.reward.reward_filter import RewardFilter


@dataclass(frozen=True, kw_only=True)
class RewardOptions(SpreadOptions, ShardOptions):
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

    def record_filter(self) -> "RewardFilter":
        """Set up the work, without a model yet."""
        from real_cli.relabel.reward.reward_filter import RewardFilter

        check_reward_options(self)
        return RewardFilter(self)


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
    from real_cli.cluster.line_filter import LineFilter
    from real_cli.cluster.spread import filter_job

    lines = LineFilter(options)
    return filter_job(options.job(), options, lines)


def check_reward_options(options: RewardOptions) -> None:
    """Refuse options that the chosen way of scoring does not read."""
    if options.template is not None and not options.pairwise:
        raise UsageError("--template: lays out two responses in one text; give --pairwise with it")
    if options.no_chat_template and options.pairwise:
        raise UsageError("--no-chat-template: --pairwise uses none; leave it out")
    if options.field != RewardOptions.field and options.pairwise:
        raise UsageError("--field: --pairwise gives responses no score of their own; leave it out")
