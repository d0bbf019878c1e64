"""real relabel implicit: score responses by a policy's own log-probabilities."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.completion_values import language_model_names
from real_cli.cli.option_sets import ScoringOptions
from real_cli.cli.options import Reference, ScoreField
from real_cli.cli.shard_options import ShardOptions
from real_cli.cli.spread_options import SpreadOptions
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status

if TYPE_CHECKING:
    from real_cli.relabel.implicit.implicit_filter import ImplicitFilter

DEFAULT_BETA = 0.1


@dataclass(frozen=True, kw_only=True)
class ImplicitOptions(ScoringOptions, SpreadOptions, ShardOptions):
    """The policy that scores, and what it is compared with."""

    policy: Annotated[
        str,
        typer.Option(
            "--policy",
            "-p",
            metavar="NAME",
            autocompletion=language_model_names,
            help="The model that scores the responses: a folder, a .gguf file, a hub name, or smollm2.",
        ),
    ]
    reference: Reference = None
    beta: Annotated[float, typer.Option("--beta", metavar="X", help="Scale of the implicit reward.")] = DEFAULT_BETA
    contrast: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--contrast",
            metavar="POSITIVE NEGATIVE",
            show_default=False,
            help="Instead of a reference: two system prompts (or templates with {prompt}, or @FILEs of them), one that "
            "asks for the good, one for its opposite.",
        ),
    ] = None
    field: ScoreField = "score"

    def record_filter(self) -> "ImplicitFilter":
        """Set up the work, without a model yet."""
        from real_cli.relabel.implicit.implicit_filter import ImplicitFilter

        return ImplicitFilter(self)


@typed_command
def implicit(options: ImplicitOptions) -> Status:
    """Score responses by a policy's own log-probabilities.

    Reads candidates or pairs; adds 'score' to each response (score_chosen and score_rejected to a pair): beta times
    (log-probability under the policy minus that under the reference), in nats. Two responses also get 'prob', the
    sigmoid of the difference, which is SPA's label; a pair gets 'implicit_margin', chosen minus rejected.
    With --contrast the score is DLMA's: the log-probability after the positive prompt minus that after the negative
    one, without beta; a pair gets 'offset', which 'real train-dpo --loss dlma' reads. Labels nothing: 'real pair' does.
    With another --field than score these are FIELD_prob, FIELD_margin and FIELD_offset, so that several models keep
    apart; a 'prob' that winprob wrote, a mean over all responses, is replaced.
    A prompt that fills --max-length leaves its record out; what tools and users say inside a response is not scored.

    Streams, in windows of about 1,000 responses: memory does not grow with the input.

    \b
    Examples:
      real relabel implicit --policy aligned --reference smollm2 candidates.jsonl | real pair --strategy best-worst
      real relabel implicit -p aligned -r sft pairs.jsonl | real pair -s all --by implicit_margin --keep 10% --lowest
      real relabel implicit -p smollm2 --contrast 'Be kind.' 'Be rude.' pairs.jsonl > offsets.jsonl
    """
    from real_cli.cluster.line_filter import LineFilter
    from real_cli.cluster.spread import filter_job
    from real_cli.io.word_files import words_path

    lines = LineFilter(options)
    job = options.job(also_reads=[("--contrast", words_path(words)) for words in options.contrast or ()])
    return filter_job(job, options, lines)
