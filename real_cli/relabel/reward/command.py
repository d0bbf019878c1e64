"""real relabel reward: score responses by a reward model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.completion_values import model_names
from real_cli.cli.options import ScoreField
from real_cli.cli.server_options import ServerOptions
from real_cli.cli.shard_options import ShardOptions
from real_cli.cli.spread_options import SpreadOptions
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status, UsageError
from real_cli.llm.served.routes import ScoringRoute

if TYPE_CHECKING:
    from real_cli.relabel.reward.reward_filter import RewardFilter
    from real_cli.relabel.reward.served_filter import ServedRewardFilter

# What a server decides for itself.
LOCAL = ("no_chat_template", "pairwise", "template", "batch_tokens", "device", "dtype", "devices", "on")


@dataclass(frozen=True, kw_only=True)
class RewardOptions(SpreadOptions, ServerOptions, ShardOptions):
    """The reward model, and what it reads."""

    LOCAL = LOCAL
    OF_SERVER = ("api", "tokenizer")

    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            autocompletion=model_names,
            help="A sequence classifier of transformers, or a CrossEncoder: a folder or a hub name; with --endpoint a "
            "model's name there.",
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

    api: Annotated[
        ScoringRoute,
        typer.Option(
            "--api",
            help="With --endpoint: the route that scores. Of vLLM 'classify' or 'pooling', which are sent messages, or "
            "'score', which is sent pairs of texts; 'predict' is that of Text Embeddings Inference, sent pairs too.",
        ),
    ] = ScoringRoute.classify
    tokenizer: Annotated[
        str | None,
        typer.Option(
            "--tokenizer",
            metavar="NAME",
            show_default=False,
            autocompletion=model_names,
            help="With --endpoint and --api classify or pooling: lay texts out here, by this model's chat template, "
            "and send token ids, as a model at hand reads them.",
        ),
    ] = None

    def record_filter(self) -> "RewardFilter | ServedRewardFilter":
        """Set up the work, without a model yet."""
        self.check_server(self.model)
        check_reward_options(self)
        if self.endpoint is not None:
            from real_cli.relabel.reward.served_filter import ServedRewardFilter

            return ServedRewardFilter(self)
        from real_cli.relabel.reward.reward_filter import RewardFilter

        return RewardFilter(self)


@typed_command
def reward(options: RewardOptions) -> Status:
    """Score responses by a reward model.

    Reads candidates or pairs; adds 'score' to each response (score_chosen and score_rejected to a pair): the raw logit,
    no activation applied. A tokenizer with a chat template reads prompt and response as a conversation, another one as
    a text pair. With --pairwise each two responses are asked about in both orders, m = (d(a, b) - d(b, a)) / 2:
    candidates get 'preferences', the matrix of sigmoid(m), and a pair gets 'margin', m(chosen, rejected).
    Labels nothing and leaves nothing out; labels that disagree are counted.

    With --endpoint a server scores, by --api: it is sent the messages of prompt and response, and applies the model's
    chat template, or both as a pair of texts, and asked for raw numbers. One that fails costs its own record only,
    which goes to --rejects, and the status is 3. Scores are stored: run the same command again and only missing ones
    are asked for.

    Streams, in windows of about 2,000 responses, or as a server answers: memory does not grow with the input.

    \b
    Examples:
      real relabel reward --model ./reward candidates.jsonl | real pair --strategy best-worst > pairs.jsonl
      real relabel reward --model ./reward --field score_reward pairs.jsonl
      real relabel reward --model ./ranker --pairwise candidates.jsonl | real relabel winprob --from preferences
      real relabel reward --endpoint http://localhost:8000/v1 --model reward candidates.jsonl > scored.jsonl
      real relabel reward --endpoint http://localhost:8000/v1 --model ranker --api predict candidates.jsonl
    """
    from real_cli.cluster.line_filter import LineFilter
    from real_cli.cluster.spread import filter_job

    lines = LineFilter(options)
    if options.endpoint is None:
        return filter_job(options.job(), options, lines)
    with options.job() as job:
        lines.work.run(job, job.records(lines.work.read))
        job.summary = lines.work.sentence()
    return job.status


def check_reward_options(options: RewardOptions) -> None:
    """Refuse options that the chosen way of scoring does not read."""
    from real_cli.llm.served.scores import APIS

    if options.tokenizer is not None and not APIS[options.api].takes_ids:
        raise UsageError(f"--tokenizer: --api {options.api} takes texts and no token ids; leave it out")
    if options.endpoint is not None and options.max_length is not None and options.tokenizer is None:
        raise UsageError("--max-length: the server cuts, or refuses, what is too long; give --tokenizer to cut here")
    if options.template is not None and not options.pairwise:
        raise UsageError("--template: lays out two responses in one text; give --pairwise with it")
    if options.no_chat_template and options.pairwise:
        raise UsageError("--no-chat-template: --pairwise uses none; leave it out")
    if options.field != RewardOptions.field and options.pairwise:
        raise UsageError("--field: --pairwise gives responses no score of their own; leave it out")
