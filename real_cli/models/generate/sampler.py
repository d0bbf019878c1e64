"""Draw each row's next token, and say when a row has ended: what `model.generate` asks at every step.

`generate` takes the likeliest token of what `Draw` leaves; cache, masks and positions stay its own.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from real_cli.records.questions import Sampling
from real_cli.records.seeds import uniform_numbers

# A stop string may lie across tokens; these many more are decoded before it, so that its first one has neighbors.
TAIL_MARGIN = 4


class Draw:
    """A logits processor: a row with a temperature keeps one token, drawn with its own seed; others stay as they are.

    The token is the first at which the probabilities, added up in the vocabulary's order, exceed a number that depends
    on the row's seed and the step alone. So a row's text does not depend on the rows beside it, up to rounding.
    """

    def __init__(self, samplings: Sequence[Sampling], width: int) -> None:
        self._width = width
        self._rows = [row for row, one in enumerate(samplings) if one.temperature > 0]
        self._temperatures = [samplings[row].temperature for row in self._rows]
        self._top_p = [samplings[row].top_p for row in self._rows]
        self._top_k = [samplings[row].top_k for row in self._rows]
        self._seeds = np.array([samplings[row].seed or 0 for row in self._rows], dtype=np.uint64)
        self._are_numbers: Any = True  # a tensor after the first step, read once at the end

    @property
    def are_numbers(self) -> bool:
        """Whether all logits so far were numbers that can be drawn from."""
        return bool(self._are_numbers)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Keep what was drawn.

        Args:
            input_ids: What was read and written so far, shape (batch, seq).
            scores: Logits of the next token, shape (batch, vocab).

        Returns:
            Shape (batch, vocab): 0 for a drawn token, -inf for the others of its row.
        """
        self._are_numbers &= scores.amax(dim=-1).isfinite().all()
        if not self._rows:
            return scores
        numbers = uniform_numbers(self._seeds, input_ids.shape[1] - self._width)
        all_rows = len(self._rows) == len(scores)
        own = scores if all_rows else scores[self._rows]
        drawn = draw_tokens(own, numbers, self._temperatures, self._top_p, self._top_k)
        kept = torch.full_like(scores, float("-inf")) if all_rows else scores.clone()
        if not all_rows:
            kept[self._rows] = float("-inf")
        kept[torch.tensor(self._rows, device=scores.device), drawn] = 0.0
        return kept


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
    scaled = logits if all(one == 1 for one in temperatures) else logits / scale[:, None]
    probabilities = torch.softmax(scaled, dim=-1, dtype=torch.float32).to(exact)
    for row, count in enumerate(top_k):
        if 0 < count < logits.shape[1]:
            least = scaled[row].topk(count).values[-1]
            probabilities[row] = probabilities[row].where(scaled[row] >= least, 0)  # ties stay, as in transformers
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
    return drawn.clamp(max=sums.shape[-1] - 1)  # beyond the last only where logits are no numbers


def _nucleus(probabilities: Tensor, shares: Tensor) -> Tensor:
    """Keep the likeliest tokens that together reach a share (Holtzman et al., 2020, arXiv:1904.09751)."""
    ordered, places = probabilities.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(dim=-1) - ordered
    totals = probabilities.sum(dim=-1)  # less than 1 after a top-k
    ordered = torch.where(before < (shares * totals)[:, None], ordered, 0)
    return torch.zeros_like(probabilities).scatter_(1, places, ordered)


class End:
    """A stopping criterion: a row ends at its own limit of tokens, or when one of its stop strings was written."""

    def __init__(self, samplings: Sequence[Sampling], width: int, tokenizer: Any) -> None:
        self._width = width
        self._tokenizer = tokenizer
        self._limits = torch.tensor([one.max_tokens for one in samplings])
        self._stops = [one.stop for one in samplings]
        # Every token writes a byte or more.
        self._tails = [max((len(text.encode()) for text in stop), default=0) + TAIL_MARGIN for stop in self._stops]
        self._open = {row for row, stop in enumerate(self._stops) if stop}
        self.lengths = [one.max_tokens for one in samplings]

    def __call__(self, input_ids: Tensor, scores: Any, **_: Any) -> Tensor:
        """Say which rows have ended.

        Args:
            input_ids: What was read and written so far, shape (batch, seq).
            scores: Not read.

        Returns:
            Booleans, shape (batch,).
        """
        count = input_ids.shape[1] - self._width
        ended = self._limits <= count
        for row in sorted(self._open):
            if not ended[row] and self._has_stopped(row, input_ids[row, self._width :]):
                self._open.discard(row)
                self.lengths[row] = count
        for row, stop in enumerate(self._stops):
            ended[row] |= bool(stop) and row not in self._open
        return ended.to(input_ids.device)

    def _has_stopped(self, row: int, written: Tensor) -> bool:
        for ids in (written[-self._tails[row] :], written):  # the whole only if its tail says so
            text = self._tokenizer.decode(ids, skip_special_tokens=True)
            if not any(stop in text for stop in self._stops[row]):
                return False
        return True


def cut_at_stop(text: str, stops: Sequence[str]) -> tuple[str, bool]:
    """Cut a text before the first of some strings.

    Args:
        text: What was written.
        stops: The strings.

    Returns:
        What stands before it, and whether there was one.
    """
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return (text[: min(places)], True) if places else (text, False)
