"""Batches by a budget of tokens, and what to do when the device has no room for one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

Result = TypeVar("Result")
Item = TypeVar("Item")


def windows(items: Iterable[Item], size: Callable[[Item], int], limit: int) -> Iterator[list[Item]]:
    """Cut a stream into windows, so that what is in memory does not grow with the stream.

    Args:
        items: The stream.
        size: How much one item takes.
        limit: What a window holds at least, unless the stream ends; the last item may go beyond it.

    Yields:
        Items of one window, in order.

    Example:
        >>> list(windows([2, 2, 3, 1], lambda item: item, 4))
        [[2, 2], [3, 1]]
    """
    window: list[Item] = []
    total = 0
    for item in items:
        window.append(item)
        total += size(item)
        if total >= limit:
            yield window
            window, total = [], 0
    if window:
        yield window


def token_batches(lengths: Sequence[int], budget: int, rows: Sequence[int] | None = None) -> Iterator[list[int]]:
    """Group sequences of similar length, longest first, so that a padded batch stays within a budget.

    Args:
        lengths: Tokens of each sequence.
        budget: Most tokens of one batch, padding counted; a longer sequence is a batch of its own.
        rows: For items that are several rows each, how many; then `lengths` are those of the longest row.

    Yields:
        Indices of the sequences of one batch; every sequence is in exactly one.

    Example:
        >>> list(token_batches([3, 9, 4, 4], 9))
        [[1], [2, 3], [0]]
    """
    batch: list[int] = []
    num_rows = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        count = rows[index] if rows else 1
        if batch and (num_rows + count) * lengths[batch[0]] > budget:
            yield batch
            batch, num_rows = [], 0
        batch.append(index)
        num_rows += count
    if batch:
        yield batch


class TokenBudget:
    """A token budget that halves when the device runs out of memory; no sequence is lost."""

    def __init__(self, num_tokens: int, tell: Callable[[str], None]) -> None:
        self.num_tokens = num_tokens
        self._tell = tell

    def run(
        self,
        lengths: Sequence[int],
        compute: Callable[[list[int]], list[Result]],
        batches: Callable[[list[int], int], Iterator[list[int]]] | None = None,
    ) -> list[Result]:
        """Compute a result for every sequence, in batches.

        Args:
            lengths: Tokens of each sequence.
            compute: Takes the indices of one batch, gives a result for each.
            batches: Makes batches of some indices within a budget; by length if None.

        Returns:
            Results in the order of the sequences.

        Raises:
            OutOfMemoryError: If the device has no room for a single sequence.
        """
        import torch

        def by_length(indices: list[int], budget: int) -> Iterator[list[int]]:
            groups = token_batches([lengths[index] for index in indices], budget)
            return ([indices[place] for place in group] for group in groups)

        make = batches or by_length
        results: dict[int, Result] = {}
        pending = list(make(list(range(len(lengths))), self.num_tokens))
        while pending:
            batch = pending.pop(0)
            try:
                results.update(zip(batch, compute(batch), strict=True))
                continue
            except torch.OutOfMemoryError:
                if len(batch) == 1:
                    raise
            # After the handler: until then the error holds what the failed pass had allocated.
            self._shrink(batch, lengths)
            rest = sorted(index for group in [batch, *pending] for index in group)
            pending = list(make(rest, self.num_tokens))
        return [results[index] for index in range(len(lengths))]

    def _shrink(self, batch: list[int], lengths: Sequence[int]) -> None:
        import torch

        used = len(batch) * max(lengths[index] for index in batch)
        self.num_tokens = max(1, min(self.num_tokens, used) // 2)
        torch.accelerator.empty_cache()
        self._tell(f"out of device memory: going on with --batch-tokens {self.num_tokens}")
