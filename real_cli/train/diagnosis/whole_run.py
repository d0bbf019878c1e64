"""What a finished run did, in words, from all that is known of it."""

from math import log
from typing import Any

from real_cli.models.load.loaded_checks import num_embeddings
from real_cli.records.record import Record
from real_cli.train.diagnosis.causes import RunFacts, first_cause
from real_cli.train.diagnosis.readings import NAMES, cut_sentences, read_run, read_single
from real_cli.train.objective import Need
from real_cli.train.settings import TrainingSettings
from real_cli.train.shared.settings import WEIGHT
from real_cli.train.tokenized import ExampleSet


def read_whole_run(
    logged: list[Record], counts: dict[str, Any], settings: TrainingSettings, examples: ExampleSet, trainer: Any
) -> list[str]:
    """Say what the run did, in words; of the last stage, because each begins at its own reference."""
    last = logged[-1].get("stage") if logged else None
    lines = [line for line in logged if line.get("stage") == last]
    facts = RunFacts(
        steps=[line for line in lines if all(name in line for name in NAMES)],
        learning_rate=settings.learning_rate,
        warmup=settings.warmup,
        total_steps=trainer.state.global_step,
        epochs=settings.epochs,
        beta=settings.mixture.knobs.get("beta"),
        max_length=settings.max_length,
        num_pairs=len(examples.scores),
        num_same_tokens=counts["num_same_tokens"],
        num_zero_weights=sum(not weight for weight in examples.columns.get(WEIGHT, ())),
        moments=trainer.moments,
        uniform_logp=-examples.mean_length() * log(num_embeddings(trainer.model)),
        has_reference=Need.reference in settings.mixture.needs,
        has_pairs=settings.mixture.has_pairs,
    )
    sentences = read_run(lines, has_reference=facts.has_reference)
    sentences += cut_sentences(counts, settings.noun, settings.max_length)
    cause = first_cause(facts) or read_single(facts)
    return [cause, *sentences] if cause else sentences
