"""Why a training run moved nothing, or moved wrongly: what was measured of it, and a row a cause.

The first cause that holds is told, in the order of the table: what makes the others meaningless comes first.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from real_cli.stats.proportions import Z_95
from real_cli.text.phrases import say_count
from real_cli.train.diagnosis.moments import Moments

# Below this a gradient vanishes beside Adam's epsilon, and no weight moves (Kingma and Ba, arXiv:1412.6980).
ADAM_EPSILON = 1e-8
# A reward margin of 0.05 is a probability of 0.51 that chosen is better: none that anybody would notice.
UNMOVED = 0.05
# Against a reference a pair's loss starts at the loss of a coin; at twice that the policy is worse than when it began.
DIVERGED = 2.0
# Pairs are learned when nearly all are in order and by a margin that leaves little gradient: sigmoid(ln 9) = 0.9.
SATURATED = 0.99
SATURATED_MARGIN = math.log(9)
# Less than one nat between two whole responses is no preference that a sample would show.
ONE_NAT = 1.0
# Cohen's large correlation, 1988; the interval's nearer end is to reach it.
LARGE_CORRELATION = 0.5
TENFOLD = 10
# Of fewer pairs a mean margin says nothing.
FEWEST_PAIRS = 10


@dataclass(frozen=True)
class RunFacts:
    """What was measured of a run, and how it was set.

    Attributes:
        steps: Its logged lines that have rewards, in TRL's names.
        learning_rate: The largest that was asked for.
        warmup: Steps of warm-up; below 1 a share of all steps.
        total_steps: Steps of the run, logged or not.
        epochs: How often each pair was seen.
        beta: Of the objective; None where it has none.
        max_length: In tokens.
        num_pairs: Pairs that were trained on.
        num_same_tokens: Pairs that were left out, because their responses are the same tokens.
        num_zero_weights: Pairs of weight 0.
        moments: Of lengths and margins, by logged line.
        uniform_logp: The log-probability of a chosen response, on average, if tokens were drawn at random.
        has_reference: Whether rewards are against a reference.
        is_reward: Whether they are a reward model's, and no log-probabilities.
        has_pairs: Whether there are pairs, and no single completions.
    """

    steps: Sequence[Mapping[str, Any]]
    learning_rate: float = 0.0
    warmup: float = 0.0
    total_steps: int = 0
    epochs: float = 1.0
    beta: float | None = None
    max_length: int = 0
    num_pairs: int = 0
    num_same_tokens: int = 0
    num_zero_weights: int = 0
    moments: Sequence[Moments] = ()
    uniform_logp: float = 0.0
    has_reference: bool = True
    is_reward: bool = False
    has_pairs: bool = True

    def values(self, name: str) -> list[float]:
        """List a number of all lines that have it."""
        return [float(line[name]) for line in self.steps if name in line]

    def change(self, name: str) -> float:
        """Subtract the mean of the first third of the lines from that of the last; the first line's, with a reference.

        Against a reference that is the policy itself every pair starts at 0.
        """
        values = self.values(name)
        first = values[:1] if self.has_reference else _third(values)
        return _mean(_third(values, last=True)) - _mean(first)

    @property
    def late(self) -> Moments:
        """The moments of the last third of the lines."""
        return Moments.total(_third(self.moments, last=True))

    @property
    def num_steps(self) -> int:
        """How many steps there were."""
        return int(self.steps[-1].get("step", len(self.steps)))

    @property
    def sum_of_rates(self) -> float:
        """Add up the rates of all steps."""
        rates = self.values("learning_rate")
        return _mean(rates) * self.num_steps if rates else 0.0


def first_cause(facts: RunFacts) -> str:
    """Say the first cause that holds, with its numbers and what to change; empty if none does."""
    if len(facts.steps) < 2:
        return ""
    return next((sentence for cause in CAUSES if (sentence := cause(facts))), "")


def _no_gradient(facts: RunFacts) -> str:
    norms = facts.values("grad_norm")
    if not norms or max(norms) >= ADAM_EPSILON:
        return ""
    return (
        f"nothing moved: the gradient's norm was {max(norms):.1e} at most, and Adam ignores what is below "
        f"{ADAM_EPSILON:.0e}; look for weights or a beta next to 0"
    )


def _same_tokens(facts: RunFacts) -> str:
    total = facts.num_pairs + facts.num_same_tokens
    if not facts.num_same_tokens * 2 >= total > 0:
        return ""
    return (
        f"few pairs were left: {facts.num_same_tokens:,} of {total:,} have the same tokens on both sides within "
        f"--max-length {facts.max_length}; raise it, or see 'real eval pairs'"
    )


def _zero_weights(facts: RunFacts) -> str:
    if not facts.num_zero_weights * 2 >= facts.num_pairs > 0:
        return ""
    return (
        f"few pairs counted: {facts.num_zero_weights:,} of {facts.num_pairs:,} have weight 0; look at the field of "
        "--weight-field"
    )


def _diverged(facts: RunFacts) -> str:
    losses, logps = facts.values("loss"), facts.values("logps/chosen")
    begin = losses[0] if facts.has_reference else median(_third(losses))
    end = median(_third(losses, last=True))
    last = median(_third(logps, last=True)) if logps else 0.0
    advice = f"at a rate of {facts.learning_rate:g}; try --learning-rate {_digit(facts.learning_rate / TENFOLD)}"
    if 0 < DIVERGED * begin < end:
        return f"it diverged: the loss went from {begin:.3g} to {end:.3g} {advice}"
    if last < DIVERGED * facts.uniform_logp < 0 and last < DIVERGED * logps[0]:
        return (
            f"it diverged: chosen responses have a log-probability of {last:.3g} where tokens drawn at random have "
            f"{facts.uniform_logp:.3g}, {advice}"
        )
    return ""


def _too_little(facts: RunFacts) -> str:
    chosen, rejected = facts.change("rewards/chosen"), facts.change("rewards/rejected")
    margin = chosen - rejected
    size = facts.late.margin_size if facts.has_reference else 0.0
    sooner = "--warmup 0, " if facts.warmup >= facts.num_steps else ""
    if max(abs(chosen), abs(rejected), abs(margin), size) >= UNMOVED:
        return ""
    return (
        f"too little training: {say_count(facts.num_steps, 'step')} at {facts.learning_rate:g} and less move a weight "
        f"by {facts.sum_of_rates:.1g} in all, Adam's step being the rate, and moved the margin by {margin:+.2g}; try "
        f"{sooner}--learning-rate {_digit(facts.learning_rate * TENFOLD)}, or --epochs "
        f"{math.ceil(facts.epochs * TENFOLD)}"
    )


def _against_each_other(facts: RunFacts) -> str:
    late = facts.late
    count = min(late.num_pairs, facts.num_pairs)
    if not facts.has_reference or count < FEWEST_PAIRS or late.margin_size < UNMOVED:
        return ""
    mean = late.y / late.num_pairs
    if abs(mean) >= Z_95 * late.margin_size / math.sqrt(count):
        return ""
    return (
        f"pairs pull against each other: margins are {late.margin_size:.2g} in size (root mean square) and {mean:+.2g} "
        "on average; 'real eval pairs' shows contradictions and labels against scores"
    )


def _large_beta(facts: RunFacts) -> str:
    margin = facts.change("rewards/margins")
    if not facts.beta or not _is_saturated(facts) or margin / facts.beta >= ONE_NAT:
        return ""
    return (
        f"beta is too large: at {facts.beta:g} the rewards are saturated, margin {margin:.3g}, though the "
        f"log-probabilities moved apart by {margin / facts.beta:.2g} nats alone; try --beta {_digit(facts.beta / 100)}"
    )


def _saturated(facts: RunFacts) -> str:
    if not _is_saturated(facts):
        return ""
    from_step = next((int(line.get("step", 0)) for line in facts.steps[_last_unlearned(facts) + 1 :]), facts.num_steps)
    if from_step * 2 > facts.num_steps:
        return ""
    epochs = max(1.0, facts.epochs * from_step / facts.num_steps)
    advice = f"--epochs {epochs:.2g} does as much" if epochs < facts.epochs else "harder pairs would teach more"
    return f"rewards are saturated from step {from_step:,} of {facts.num_steps:,} on; {advice}"


def _length(facts: RunFacts) -> str:
    sums = facts.late
    count = min(sums.num_pairs, facts.num_pairs)
    if count <= 3 or not facts.has_reference:  # a log-probability alone goes with length in any case
        return ""
    correlation = sums.correlation
    nearer = math.tanh(math.atanh(min(abs(correlation), 1 - 1e-9)) - Z_95 / math.sqrt(count - 3))
    if nearer < LARGE_CORRELATION:
        return ""
    side = "longer" if correlation > 0 else "shorter"
    other = "" if facts.is_reward else "try --loss dpo-norm or simpo, or "
    return (
        f"length was learned: margins go with how much {side} the chosen response is, correlation {correlation:+.2f} "
        f"over {say_count(int(count), 'pair')}; {other}balance the pairs by 'real eval pairs "
        "--drop longer-chosen'"
    )


def _both_fell(facts: RunFacts) -> str:
    chosen, rejected = facts.change("rewards/chosen"), facts.change("rewards/rejected")
    if not facts.has_pairs:  # what would help against it is of pairs
        return ""
    if not facts.beta or not facts.has_reference or chosen > -ONE_NAT * facts.beta or rejected > chosen:
        return ""
    return (
        f"chosen responses became less likely too, by {-chosen / facts.beta:.3g} nats each: what they gave up may have "
        "gone to neither; try --loss dpo,sft or apo-zero, or pairs that differ more"
    )


CAUSES: tuple[Callable[[RunFacts], str], ...] = (
    _no_gradient,
    _same_tokens,
    _zero_weights,
    _diverged,
    _too_little,
    _against_each_other,
    _large_beta,
    _length,
    _both_fell,
    _saturated,
)


def _is_learned(line: Mapping[str, Any]) -> bool:
    return bool(line["rewards/accuracies"] >= SATURATED and line["rewards/margins"] >= SATURATED_MARGIN)


def _is_saturated(facts: RunFacts) -> bool:
    return _last_unlearned(facts) < len(facts.steps) - 1 - len(facts.steps) // 10


def _last_unlearned(facts: RunFacts) -> int:
    return max((number for number, line in enumerate(facts.steps) if not _is_learned(line)), default=-1)


def _third(values: Sequence[Any], *, last: bool = False) -> Sequence[Any]:
    width = max(1, len(values) // 3)
    return values[-width:] if last else values[:width]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))


def _digit(number: float) -> str:
    """Write a number with one digit, as options are written.

    >>> _digit(4.6e-5), _digit(0.1), _digit(1e-07)
    ('5e-05', '0.1', '1e-07')
    """
    return f"{number:.1g}"
