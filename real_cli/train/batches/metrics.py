"""The numbers of a run: kept on the device pair by pair, read where they are logged."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from real_cli.train.batches.completions import SUMMED, completion_metrics, completion_sums
from real_cli.train.callbacks import IMPOSSIBLE, Recent
from real_cli.train.diagnosis.moments import Moments
from real_cli.train.logps import Logps
from real_cli.train.mixture import Mixture
from real_cli.train.world import World

REWARDS = ("rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins")
NOTED = (*REWARDS, "logps/chosen", "logps/rejected", IMPOSSIBLE)


def metric_names(mixture: Mixture) -> list[str]:
    """Name what is noted of each pair."""
    parts = mixture.parts
    if not mixture.has_pairs:
        return list(SUMMED)
    return [*NOTED, *(f"losses/{part.name}" for part in parts if len(parts) > 1)]


def keep_sums(sums: list[Tensor], noted: Sequence[Tensor], gap: Tensor, margin: Tensor) -> None:
    """Keep sums over some pairs: of what is noted of each, and the moments of length gap and margin."""
    moments = [gap, margin, gap * gap, margin * margin, gap * margin]
    total = torch.stack([value.detach().sum() for value in (*noted, *moments)])
    sums.append(torch.cat([total, total.new_tensor([len(margin)])]))


class LoggedMeans:
    """Part of a trainer: means over the pairs of all processes since the last line.

    The trainer brings `noted_names`, the names of what `keep_sums` gets of each pair, in order.
    """

    accelerator: Any
    model: Any
    world: World
    moments: list[Moments]
    noted_names: list[str]
    _metrics: Any
    _num_tokens: Any

    def _count_tokens(self, batch: dict[str, Any]) -> None:
        """Count what a pass read, on the device: reading it here would wait for it."""
        if self.model.training:
            seen = batch["attention_mask"] if "attention_mask" in batch else batch["segments"] >= 0
            self._num_tokens = self._num_tokens + seen.sum()

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log metrics: means over the pairs since the last time."""
        mode = "train" if self.model.training else "eval"
        metrics = self._metrics[mode]
        names = self.noted_names
        sums = metrics.pop("sums", [])
        # A process may have had no pair since the last line, and the others wait for its zeros.
        if sums or self.world.size > 1:
            device = self.accelerator.device
            num_sums = len(names) + len(Moments._fields)
            total = torch.stack(sums).sum(dim=0) if sums else torch.zeros(num_sums, device=device)
            *totals, num_pairs = self.accelerator.reduce(total, "sum").tolist()
            tokens = torch.as_tensor(self._num_tokens, device=device)
            tokens = self.accelerator.reduce(tokens, "sum")
            if num_pairs:
                named, moments = totals[: len(names)], totals[len(names) :]
                metrics.update({name: [value] for name, value in self._means_of(named, num_pairs).items()})
                if mode == "train":
                    self.moments.append(Moments(num_pairs, *moments))
                metrics["num_tokens"] = [int(tokens)]
        super().log(logs, start_time)  # type: ignore[misc]  # the trainer's

    def _means_of(self, totals: list[float], num_pairs: float) -> dict[str, float]:
        """Turn sums over pairs into what a line shows."""
        return {name: total / num_pairs for name, total in zip(self.noted_names, totals, strict=True)}


class PairMetrics(LoggedMeans):
    """Part of a trainer of policies: what is logged of each pair, in TRL's names."""

    recent: Recent
    _mixture: Mixture

    def _note(self, logps: Logps, values: dict[str, Tensor]) -> None:
        """Keep sums over some pairs."""
        mode = "train" if self.model.training else "eval"
        sums, rewards = self._metrics[mode]["sums"], self._mixture.rewards(logps)
        if not self._mixture.has_pairs:
            noted = completion_sums(rewards, logps, values["kl"], self._mixture.beta)
            nothing = torch.zeros_like(noted[0])
            keep_sums(sums, noted, nothing, nothing)
            return
        chosen, rejected = rewards[:, :2].unbind(dim=1)
        margin = chosen - rejected
        noted = [chosen, rejected, (chosen > rejected).float(), margin, logps.policy[:, 0], logps.policy[:, 1]]
        noted.append(logps.impossible)
        if len(values) > 1:
            noted += values.values()
        gap = (logps.lengths[:, 0] - logps.lengths[:, 1]).to(chosen.dtype)
        keep_sums(sums, noted, gap, margin)
        if mode == "train" and (values_to_keep := self._mixture.remember(logps)) is not None:
            self.recent.add(values_to_keep)

    def _means_of(self, totals: list[float], num_pairs: float) -> dict[str, float]:
        """Turn sums into what a line shows; those of completions are means over each kind of label."""
        if self._mixture.has_pairs:
            return super()._means_of(totals, num_pairs)
        return dict(completion_metrics(totals, num_pairs))
