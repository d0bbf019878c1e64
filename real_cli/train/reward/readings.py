"""What a reward model's training did, in a few plain sentences."""

from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from real_cli.records.record import Record
from real_cli.text.phrases import say_count
from real_cli.train.diagnosis.causes import RunFacts, first_cause
from real_cli.train.diagnosis.readings import accuracy_sentence, cut_sentences, ends_of
from real_cli.train.reward.settings import RewardSettings
from real_cli.train.shared.settings import WEIGHT
from real_cli.train.tokenized import ExampleSet


def read_reward_run(
    logged: list[Record],
    counts: Mapping[str, Any],
    settings: RewardSettings,
    examples: ExampleSet,
    trainer: Any,
    limit: int,
) -> list[str]:
    """Say what the run did on sequences of at most `limit` tokens; a reward's level means nothing: margins are told."""
    steps = [line for line in logged if "rewards/chosen" in line]
    facts = RunFacts(
        steps=steps,
        learning_rate=settings.learning_rate,
        warmup=settings.warmup,
        total_steps=trainer.state.global_step,
        epochs=settings.epochs,
        max_length=settings.max_length,
        num_pairs=len(examples.scores),
        num_same_tokens=counts["num_same_tokens"],
        num_zero_weights=sum(not weight for weight in examples.columns.get(WEIGHT, ())),
        moments=trainer.moments,
        is_reward=True,
    )
    sentences = []
    if len(steps) > 1:
        start, end = ends_of(steps)
        margins = [part["rewards/chosen"] - part["rewards/rejected"] for part in (start, end)]
        sentences = [f"margin {margins[0]:.3f} at the start, {margins[1]:.3f} at the end"]
        sentences.append(accuracy_sentence(start, end))
    sentences += cut_sentences(counts, "pair", limit)
    cause = first_cause(facts)
    return [cause, *sentences] if cause else sentences


def close_reward_run(result: Mapping[str, Any], folder: Path, model: str, no_chat_template: bool) -> str:
    """Say what a run came to, and which command scores by it."""
    pairs, steps = say_count(result["num_pairs"], "pair"), say_count(result["step"], "step")
    flag = " --no-chat-template" if no_chat_template else ""
    score = f"real relabel reward --model {quote(str(folder))}{flag}"
    return f"{model} trained on {pairs} in {steps}: {folder}; next: {score} FILE"
