"""Batches by a budget of tokens, and what to do when the device has no room for one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from real_cli.io.progress import running_counter

Result = TypeVar("Result")
Item = TypeVar("Item")


def windows(
    items: Iterable[Item], size: Callable[[Item], int], limit: int, *, num_passes: int = 1
) -> Iterator[list[Item]]:
    """Cut a stream into windows of at least `limit`, so that memory does not grow with the stream.

    `num_passes` is how many models read each: what is shown of the run counts them.

    >>> list(windows([2, 2, 3, 1], lambda item: item, 4))
    [[2, 2], [3, 1]]
    """
    window: list[Item] = []
    total = 0
    for item in items:
        window.append(item)
        total += size(item)
        if total >= limit:
            running_counter().begin_window(len(window), num_passes)
            yield window
            window, total = [], 0
    if window:
        running_counter().begin_window(len(window), num_passes)
        yield window


def token_batches(lengths: Sequence[int], budget: int, rows: Sequence[int] | None = None) -> Iterator[list[int]]:
    """Group sequences of similar length, longest first, so that a padded batch stays within a budget.

    Yields the indices of each batch; a sequence beyond the budget is a batch of its own. `rows` counts the rows of
    items that have several: `lengths` are then those of the longest.

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


def packed_batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Group sequences whose lengths add up to a budget at most, the fullest batch first.

    Yields the indices of each batch; a sequence beyond the budget is a batch of its own. Each sequence, longest first,
    goes where the least room is left over, as in TRL's packing of fine-tuning texts (best-fit decreasing).

    >>> list(packed_batches([3, 9, 4, 5], 9))
    [[1], [3, 2], [0]]
    """
    batches: list[list[int]] = []
    rooms: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        fitting = [place for place, room in enumerate(rooms) if room >= lengths[index]]
        if fitting:
            place = min(fitting, key=rooms.__getitem__)
            batches[place].append(index)
            rooms[place] -= lengths[index]
        else:
            batches.append([index])
            rooms.append(budget - lengths[index])
    yield from (batches[place] for place in sorted(range(len(batches)), key=rooms.__getitem__))


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
        """Compute a result for every sequence, in batches; results keep the order of the sequences.

        `compute` takes the indices of a batch; `batches` cuts indices by a budget, by length if None.
        OutOfMemoryError passes only where a single sequence does not fit.
        """
        import torch

        def by_length(indices: list[int], budget: int) -> Iterator[list[int]]:
            groups = token_batches([lengths[index] for index in indices], budget)
            return ([indices[place] for place in group] for group in groups)

        make = batches or by_length
        results: dict[int, Result] = {}
        counter = running_counter()
        pending = list(make(list(range(len(lengths))), self.num_tokens))
        while pending:
            batch = pending.pop(0)
            counter.begin_batch(len(results) / len(lengths), len(batch) / len(lengths))
            try:
                results.update(zip(batch, compute(batch), strict=True))
                counter.tell_part(1)
                continue
            except torch.OutOfMemoryError:
                if len(batch) == 1:
                    raise
            # After the handler: until then the error holds what the failed pass allocated.
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
