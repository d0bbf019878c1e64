"""What an estimate says: the fields of its record."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from real_cli.records.record import Record
from real_cli.train.estimate.live_memory import MemoryPart
from real_cli.train.estimate.machine import CUDA_BYTES, WORKING_BYTES
from real_cli.train.estimate.probe import Span, Speed
from real_cli.train.estimate.simulation import Usage
from real_cli.train.estimate.work import Work
from real_cli.train.settings import TrainingSettings

NO_TIME = Span(0.0, 0.0)


@dataclass
class Durations:
    """What was measured on the way, in seconds.

    Attributes:
        reading: Reading and tokenizing everything.
        loading: Loading the policy.
        speed: Of the steps; None without a probe.
        missing: Pairs that the reference has to score.
        write_rate: Bytes a second that a disk takes.
    """

    reading: float
    loading: float = 0.0
    speed: Speed | None = None
    missing: int = 0
    write_rate: float = 1.0


def data_fields(work: Work, counts: Mapping[str, Any], left_out: Mapping[str, int], num_rejected: int) -> Record:
    """Say what would be trained on."""
    return {
        "num_pairs": counts["num_pairs"],
        "truncated_share": counts["num_truncated"] / max(1, counts["num_pairs"]),
        "left_out": dict(left_out),
        "num_rejected": num_rejected,
        "num_steps": work.num_steps,
        "num_pairs_trained": work.num_pairs,
        "num_tokens": work.num_tokens,
    }


def memory_fields(usage: Usage, device: torch.device, held: int, stored: int | None) -> Record:
    """Say what is taken where; on a CPU there is one memory."""
    parts = {f"{part}_bytes": usage.parts[part] for part in MemoryPart if usage.parts[part] > 0}
    if device.type == "cpu":
        framework = held + WORKING_BYTES
        host = {**parts, "framework_bytes": framework, "peak_bytes": usage.peak + framework}
        return {"method": usage.method, "host": host, "device": None}
    on_device = {**parts, "framework_bytes": CUDA_BYTES, "peak_bytes": usage.peak + CUDA_BYTES}
    # The weights are read into the host's memory, in their own format, and sent from there.
    loading = usage.weights + (stored or 0)
    host = {"weights_bytes": loading, "framework_bytes": held, "peak_bytes": held + loading}
    return {"method": usage.method, "host": host, "device": on_device}


def saved_bytes(usage: Usage, settings: TrainingSettings) -> tuple[int, int]:
    """Return the bytes of the final model, and of a checkpoint, which has the optimizer's states too."""
    trained, states = usage.parts[MemoryPart.gradients], usage.parts[MemoryPart.optimizer]
    final = min(trained, usage.weights) if settings.adapts else usage.weights
    return final, final + states


def time_fields(
    durations: Durations,
    work: Work,
    measured: Work | None,
    settings: TrainingSettings,
    save_steps: int,
    saved: tuple[int, int],
) -> Record:
    """Say how long each part of the run takes, from the lowest to the highest; None without a probe."""
    speed = durations.speed
    if speed is None:
        return {"seconds": None, "seconds_low": None, "seconds_high": None, "cpu_share": None}
    num_checks = _num_checks(work, settings) if measured else 0
    per_token = speed.reference or _forward(speed)
    share = durations.missing / max(1, work.num_pairs)
    spans = {
        "reading": _exactly(durations.reading),
        "loading": _exactly(durations.loading),
        "reference": speed.widened(_around((speed.reference or 0.0) * work.num_tokens * share)),
        "training": speed.widened(speed.training(work.num_batches, work.num_tokens)),
        "evaluation": speed.widened(_around(per_token * num_checks * (measured.num_tokens if measured else 0))),
        "saving": _around(_num_bytes(work, settings, save_steps, num_checks, saved) / durations.write_rate),
    }
    total = sum(spans.values(), NO_TIME)
    parts = {f"{name}_{end}": round(getattr(span, end), 1) for name, span in spans.items() for end in ("low", "high")}
    ends = {"seconds_low": round(total.low, 1), "seconds_high": round(total.high, 1)}
    return {"seconds": parts, **ends, "cpu_share": round(speed.share, 2)}


def _num_checks(work: Work, settings: TrainingSettings) -> int:
    return work.num_steps // settings.eval_steps if settings.eval_steps else math.ceil(settings.epochs)


def _num_bytes(work: Work, settings: TrainingSettings, save_steps: int, num_checks: int, saved: tuple[int, int]) -> int:
    final, checkpoint = saved
    num_checkpoints = num_checks if settings.patience else work.num_steps // save_steps if save_steps else 0
    return final + num_checkpoints * checkpoint


def _forward(speed: Speed) -> float:
    """Guess the seconds a token without gradients: a third of what a step takes."""
    return sum(seconds / tokens for tokens, seconds in speed.steps) / len(speed.steps) / 3


def _exactly(seconds: float) -> Span:
    return Span(seconds, seconds)


def _around(seconds: float) -> Span:
    """Give a duration that was measured once the range that such a measurement has."""
    return Span(seconds * 0.8, seconds * 1.25)
