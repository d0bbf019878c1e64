"""What a training run did, in a few plain sentences."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from real_cli.text.phrases import say_count
from real_cli.train.diagnosis.causes import SATURATED, SATURATED_MARGIN, RunFacts
from real_cli.train.settings import NO_REFERENCE

# The share of the logged steps that counts as the start, and as the end. Against a reference every pair starts near 0;
# without one pairs differ more than they move, and only means over many of them say anything.
END_SHARE = 0.1
END_SHARE_ALONE = 1 / 3
NAMES = ("rewards/chosen", "rewards/rejected", "rewards/accuracies")
CLOSE = 5e-4


def read_run(lines: Sequence[Mapping[str, Any]], *, has_reference: bool = True) -> list[str]:
    """Say why the margin moved, and whether anything is left to learn; empty for fewer than two steps."""
    steps = [line for line in lines if all(name in line for name in NAMES)]
    if len(steps) < 2:
        return []
    start, end = ends_of(steps, END_SHARE if has_reference else END_SHARE_ALONE)
    chosen, rejected = (end[name] - start[name] for name in NAMES[:2])
    margin = _margin_sentence(chosen, rejected)
    if not has_reference:
        margin += "; between the first third of the steps and the last, which had other pairs"
    return [margin, accuracy_sentence(start, end, has_reference=has_reference)]


def ends_of(
    steps: Sequence[Mapping[str, Any]], share: float = END_SHARE_ALONE
) -> tuple[dict[str, float], dict[str, float]]:
    """Average rewards and accuracy over the first steps of a run, and over the last."""
    width = max(1, int(len(steps) * share))
    start, end = ({name: _mean(part, name) for name in NAMES} for part in (steps[:width], steps[-width:]))
    return start, end


def accuracy_sentence(start: Mapping[str, float], end: Mapping[str, float], *, has_reference: bool = False) -> str:
    """Say how accuracy moved, and whether anything is left to learn."""
    begins, ends = (part[NAMES[0]] - part[NAMES[1]] for part in (start, end))
    if end[NAMES[2]] >= SATURATED and ends >= SATURATED_MARGIN:
        return f"accuracy is saturated at {end[NAMES[2]]:.2f}: these pairs have little more to teach"
    if has_reference and abs(begins) < CLOSE:  # the reference is the policy itself: rounding decides each pair
        return f"accuracy {end[NAMES[2]]:.2f} at the end; at the start all pairs are ties"
    return f"accuracy went from {start[NAMES[2]]:.2f} to {end[NAMES[2]]:.2f}"


def cut_sentences(counts: Mapping[str, Any], noun: str, limit: int) -> list[str]:
    """Say which share of the examples lost tokens to the limit; empty if none did."""
    if not counts["num_truncated"]:
        return []
    return [f"{counts['num_truncated'] / counts['num_pairs']:.0%} of the {noun}s were cut to {limit} tokens"]


def read_single(facts: RunFacts) -> str:
    """Say why a run that logged a single step says nothing of the margin; empty for none and for several."""
    if len(facts.steps) != 1:
        return ""
    unknown = (
        "how the margin moved is not known, because a step is logged before it is taken; 'real eval margin' measures it"
    )
    if facts.total_steps > 1:
        return f"a single step of {facts.total_steps:,} was logged: {unknown}"
    rate = max(facts.values("learning_rate"), default=facts.learning_rate)
    return f"one step at a rate of {rate:g}: {unknown}; for more steps raise --epochs or lower --batch-size"


def close_run(result: Mapping[str, Any], folder: Path, policy: str, reference: str | None, noun: str = "pair") -> str:
    """Say what a run came to, and which command measures it."""
    pairs, steps = say_count(result["num_pairs"], noun), say_count(result["step"], "step")
    models = str(folder), policy if reference in (None, NO_REFERENCE) else reference
    measure = "real eval margin --policy {} --reference {} FILE".format(*map(quote, models))
    return f"{policy} trained on {pairs} in {steps}: {folder}; next: {measure}"


def _mean(lines: Sequence[Mapping[str, Any]], name: str) -> float:
    return sum(float(line[name]) for line in lines) / len(lines)


def _margin_sentence(chosen: float, rejected: float) -> str:
    margin = chosen - rejected
    if abs(margin) < CLOSE:
        return f"margin did not move: {_moved('chosen', chosen)}, {_moved('rejected', rejected)}"
    begin = f"margin {margin:+.3f}: "
    if margin < 0:
        return f"{begin}it fell; {_moved('chosen', chosen)}, {_moved('rejected', rejected)}"
    if chosen < -CLOSE:
        return f"{begin}rejected fell by {-rejected:.3f} and chosen by {-chosen:.3f}: both became less likely"
    if rejected > CLOSE:
        return f"{begin}chosen rose by {chosen:.3f} and rejected by {rejected:.3f}: both became more likely"
    return f"{begin}{_moved('chosen', chosen)}, {_moved('rejected', rejected)}"


def _moved(name: str, change: float) -> str:
    if abs(change) < CLOSE:
        return f"{name} stayed"
    return f"{name} {'rose' if change > 0 else 'fell'} by {abs(change):.3f}"
