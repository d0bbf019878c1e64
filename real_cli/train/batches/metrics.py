"""The numbers of a run: kept on the device pair by pair, read where they are logged."""

from typing import Any

import torch
from torch import Tensor

from real_cli.train.batches.completions import SUMMED, completion_metrics, completion_sums
from real_cli.train.callbacks import IMPOSSIBLE, Recent
from real_cli.train.diagnosis.causes import Moments
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


class PairMetrics:
    """Part of a trainer: means over the pairs of all processes since the last line, in TRL's names."""

    accelerator: Any
    model: Any
    recent: Recent
    world: World
    moments: list[Moments]
    _mixture: Mixture
    _metrics: Any
    _num_tokens: Any

    def _note(self, logps: Logps, values: dict[str, Tensor]) -> None:
        """Keep sums over some pairs."""
        mode = "train" if self.model.training else "eval"
        rewards = self._mixture.rewards(logps)
        if not self._mixture.has_pairs:
            noted = completion_sums(rewards, logps, values["kl"], self._mixture.beta)
            self._add_sums(mode, [*noted, *[torch.zeros_like(noted[0])] * len(Moments._fields[1:])])
            return
        chosen, rejected = rewards[:, :2].unbind(dim=1)
        margin = chosen - rejected
        noted = [chosen, rejected, (chosen > rejected).float(), margin, logps.policy[:, 0], logps.policy[:, 1]]
        noted.append(logps.impossible)
        if len(values) > 1:
            noted += values.values()
        gap = (logps.lengths[:, 0] - logps.lengths[:, 1]).to(chosen.dtype)
        moments = [gap, margin, gap * gap, margin * margin, gap * margin]
        self._add_sums(mode, [*noted, *moments])
        if mode == "train" and (values_to_keep := self._mixture.remember(logps)) is not None:
            self.recent.add(values_to_keep)

    def _add_sums(self, mode: str, values: list[Tensor]) -> None:
        sums = torch.stack([value.detach().sum() for value in values])
        self._metrics[mode]["sums"].append(torch.cat([sums, sums.new_tensor([len(values[0])])]))

    def _count_tokens(self, batch: dict[str, Any]) -> None:
        """Count what a pass read, on the device: reading it here would wait for it."""
        if self.model.training:
            seen = batch["attention_mask"] if "attention_mask" in batch else batch["segments"] >= 0
            self._num_tokens = self._num_tokens + seen.sum()

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log metrics: means over the pairs since the last time."""
        mode = "train" if self.model.training else "eval"
        metrics = self._metrics[mode]
        names = metric_names(self._mixture)
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
                means = zip(names, [total / num_pairs for total in named], strict=True)
                shown = means if self._mixture.has_pairs else completion_metrics(named, num_pairs).items()
                metrics.update({name: [value] for name, value in shown})
                if mode == "train":
                    self.moments.append(Moments(num_pairs, *moments))
                metrics["num_tokens"] = [int(tokens)]
        super().log(logs, start_time)  # type: ignore[misc]  # the trainer's
