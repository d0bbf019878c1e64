"""Draw each row's next token, and say which rows go on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from real_cli.records.questions import Sampling
from real_cli.records.seeds import uniform_numbers

# A stop string may span tokens; this many more are decoded before it, so that its first token has neighbors.
TAIL_MARGIN = 4


class Draw:
    """Draw each row's next token with the row's own seed; the likeliest one where its temperature is 0.

    The token is the first at which the probabilities, added up in the vocabulary's order, exceed a number that depends
    on the row's seed and the step alone. So a row's text does not depend on the rows beside it, up to rounding.
    """

    def __init__(self, samplings: Sequence[Sampling], device: Any) -> None:
        self._samplings = list(samplings)
        self._are_numbers = torch.ones((), dtype=torch.bool, device=device)  # read once, at the end
        self._arrange()

    @property
    def are_numbers(self) -> bool:
        """Whether all logits so far could be drawn from."""
        return bool(self._are_numbers)

    def keep(self, rows: Tensor) -> None:
        """Go on with some rows alone.

        Args:
            rows: Their numbers, shape (kept,).
        """
        self._samplings = [self._samplings[row] for row in rows.tolist()]
        self._arrange()

    def _arrange(self) -> None:
        self._rows = [row for row, sampling in enumerate(self._samplings) if sampling.temperature > 0]
        drawn = [self._samplings[row] for row in self._rows]
        self._temperatures = [sampling.temperature for sampling in drawn]
        self._top_p = [sampling.top_p for sampling in drawn]
        self._top_k = [sampling.top_k for sampling in drawn]
        self._seeds = np.array([sampling.seed or 0 for sampling in drawn], dtype=np.uint64)

    def __call__(self, logits: Tensor, step: int) -> Tensor:
        """Draw.

        Args:
            logits: Of the next token, shape (rows, vocab).
            step: How many tokens were drawn before.

        Returns:
            Token ids, shape (rows,).
        """
        self._are_numbers &= logits.amax(dim=-1).isfinite().all()
        if not self._rows:
            return logits.argmax(dim=-1)
        numbers = uniform_numbers(self._seeds, step)
        if len(self._rows) == len(logits):
            return draw_tokens(logits, numbers, self._temperatures, self._top_p, self._top_k)
        tokens = logits.argmax(dim=-1)
        tokens[self._rows] = draw_tokens(logits[self._rows], numbers, self._temperatures, self._top_p, self._top_k)
        return tokens


def draw_tokens(
    logits: Tensor,
    numbers: np.ndarray,
    temperatures: Sequence[float],
    top_p: Sequence[float],
    top_k: Sequence[int] = (),
) -> Tensor:
    """Draw a token for each row by the inverse of its cumulative distribution.

    Args:
        logits: Shape (batch, vocab).
        numbers: In [0, 1), shape (batch,).
        temperatures: Above 0, shape (batch,).
        top_p: Share of the probability that is drawn from, likeliest tokens first, shape (batch,).
        top_k: How many of the likeliest tokens are drawn from, before that share is taken of what they have; 0 for
            all. Shape (batch,), or empty.

    Returns:
        Token ids, shape (batch,).
    """
    # Sums of a hundred thousand float32 would be off by more than what batches differ by; each of them alone is not,
    # and float64 exponentials are slow. MPS has no float64.
    exact = torch.float32 if logits.device.type == "mps" else torch.float64
    scale = torch.tensor(temperatures, dtype=logits.dtype, device=logits.device)
    scaled = logits if all(temperature == 1 for temperature in temperatures) else logits / scale[:, None]
    probabilities = torch.softmax(scaled, dim=-1, dtype=torch.float32).to(exact)
    for row, count in enumerate(top_k):
        if 0 < count < logits.shape[1]:
            least = scaled[row].topk(count).values[-1]
            probabilities[row] = probabilities[row].where(scaled[row] >= least, 0)  # keeps ties, as transformers does
    narrow = [row for row, share in enumerate(top_p) if share < 1]
    if narrow:
        shares = torch.tensor([top_p[row] for row in narrow], dtype=exact, device=logits.device)
        probabilities[narrow] = _nucleus(probabilities[narrow], shares)
    sums = probabilities.cumsum(dim=-1)
    totals = sums[:, -1]
    targets = torch.tensor(numbers, dtype=exact, device=logits.device) * totals
    targets = targets.minimum(torch.nextafter(totals, torch.zeros_like(totals)))
    # The first sum above the target; a token without probability adds nothing, so it is never the first.
    drawn = torch.searchsorted(sums, targets[:, None], right=True).squeeze(1)
    return drawn.clamp(max=sums.shape[-1] - 1)  # past the last only where logits are no numbers


def _nucleus(probabilities: Tensor, shares: Tensor) -> Tensor:
    """Keep the likeliest tokens that together reach a share (Holtzman et al., 2020, arXiv:1904.09751)."""
    ordered, places = probabilities.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(dim=-1) - ordered
    totals = probabilities.sum(dim=-1)  # less than 1 after a top-k
    ordered = torch.where(before < (shares * totals)[:, None], ordered, 0)
    return torch.zeros_like(probabilities).scatter_(1, places, ordered)


class End:
    """Say which rows go on: a row ends at an end token, at its own limit, or when a stop string of its was written."""

    def __init__(self, samplings: Sequence[Sampling], tokenizer: Any, ends: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._samplings = list(samplings)
        self._ends = torch.tensor(list(ends), dtype=torch.long)
        self._rows = list(range(len(self._samplings)))
        # Every token writes a byte or more.
        self._tails = [
            max((len(text.encode()) for text in sampling.stop), default=0) + TAIL_MARGIN for sampling in samplings
        ]
        self._limits = torch.tensor([sampling.max_tokens for sampling in samplings])
        self._have_ended = torch.zeros(len(self._samplings), dtype=torch.bool)
        self.lengths = [sampling.max_tokens for sampling in samplings]

    @property
    def limit(self) -> int:
        """Most tokens that a row writes."""
        return max(sampling.max_tokens for sampling in self._samplings)

    def keep(self, rows: Tensor) -> None:
        """Go on with some rows alone; the lengths stay those of all."""
        self._rows = [self._rows[row] for row in rows.tolist()]

    def __call__(self, written: Tensor) -> Tensor:
        """Say which rows go on.

        Args:
            written: What the rows that are left wrote so far, shape (rows, steps).

        Returns:
            Booleans on the CPU, shape (rows,).
        """
        count = written.shape[1]
        ended = torch.isin(written[:, -1].cpu(), self._ends) | (self._limits[self._rows] <= count)
        for place, row in enumerate(self._rows):
            if not ended[place] and self._samplings[row].stop and not self._have_ended[row]:
                ended[place] = self._has_stopped(row, written[place])
        for place in (ended & ~self._have_ended[self._rows]).nonzero().squeeze(1).tolist():
            self.lengths[self._rows[place]] = min(count, self.lengths[self._rows[place]])
        self._have_ended[self._rows] |= ended
        return ~self._have_ended[self._rows]

    def _has_stopped(self, row: int, written: Tensor) -> bool:
        for ids in (written[-self._tails[row] :], written):  # decode everything only if the tail matches
            text = self._tokenizer.decode(ids, skip_special_tokens=True)
            if not any(stop in text for stop in self._samplings[row].stop):
                return False
        return True


def cut_at_stop(text: str, stops: Sequence[str]) -> tuple[str, bool]:
    """Cut a text before the first of some strings."""
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return (text[: min(places)], True) if places else (text, False)
