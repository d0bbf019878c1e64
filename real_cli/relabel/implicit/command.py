"""real relabel implicit: score responses by a policy's own log-probabilities."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.completion_values import language_model_names
from real_cli.cli.option_sets import ScoringOptions
from real_cli.cli.options import Reference, ScoreField
from real_cli.cli.shard_options import ShardOptions
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status, UsageError
from real_cli.records.record import Record

if TYPE_CHECKING:
    from real_cli.models.score.model_pair import ModelPair
    from real_cli.relabel.implicit.measure import ImplicitMeter

DEFAULT_BETA = 0.1


@dataclass(frozen=True, kw_only=True)
class ImplicitOptions(ScoringOptions, ShardOptions):
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
    from real_cli.io.progress import speaker
    from real_cli.io.word_files import words_path
    from real_cli.models.score.model_pair import ModelPair
    from real_cli.relabel.implicit.measure import TOO_LONG
    from real_cli.relabel.implicit.rewards import add_contrast, add_implicit
    from real_cli.relabel.label_check import LabelCheck
    from real_cli.relabel.scored import check_field, write_scored

    check_field(options.field)
    models = ModelPair(
        options.policy,
        options.reference,
        device=options.device,
        precision=options.dtype,
        attention=options.attention,
        layout=options.layout,
        batch_tokens=options.batch_tokens,
        max_length=options.max_length,
        tell=speaker(options.quiet),
    )
    opinions, add = _against_reference(models, options.beta), add_implicit
    if options.contrast is not None:
        opinions, add = _against_opposite(models, options), add_contrast
    check = LabelCheck()

    def mark(record: Record, rewards: list[float]) -> Record:
        scored = add(record, rewards, options.field)
        check.add(record, rewards, options.field)
        return scored

    job = options.job(also_reads=[("--contrast", words_path(words)) for words in options.contrast or ()])
    with job:
        write_scored(job, opinions(job.apply(opinions.read, job.records())), mark, TOO_LONG)
        job.summary = "; ".join(filter(None, (opinions.sentence(), check.sentence())))
    return job.status


def _against_reference(models: "ModelPair", beta: float) -> "ImplicitMeter":
    from real_cli.relabel.implicit.measure import ReferenceMeter
    from real_cli.relabel.implicit.rewards import check_beta

    return ReferenceMeter(models, beta=check_beta(beta))


def _against_opposite(models: "ModelPair", options: ImplicitOptions) -> "ImplicitMeter":
    from real_cli.io.word_files import read_words
    from real_cli.records.place_words import check_contrast
    from real_cli.relabel.implicit.measure import ContrastMeter

    if options.reference is not None:
        raise UsageError("--contrast: compares two prompts under the policy alone; leave out --reference")
    if "beta" in options.given:
        raise UsageError("--contrast: the score is in nats, without beta; leave out --beta")
    positive, negative = (check_contrast(read_words(words)) for words in options.contrast or ())
    return ContrastMeter(models, positive=positive, negative=negative)
