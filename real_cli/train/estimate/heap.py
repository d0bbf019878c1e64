"""Where an allocator puts blocks: how far the heap grows, gaps between blocks included."""

from bisect import bisect_left, insort

# torch asks for 64-byte lines; the C library adds its own words.
ALIGNMENT = 64
# To align a block, the C library's memalign looks for this much more than it then keeps: a freed block is no place for
# one of the same size, unless a neighbor is free too. With embeddings of a large vocabulary that is most of the gaps.
SLACK = 2 * ALIGNMENT


class Heap:
    """A heap like that of the C library when it keeps what is freed (see `keep_freed_memory`).

    A block goes into the smallest free gap that holds it and its slack, else to the end; free neighbors join; the end
    only moves back where its last block is free, and what was held once stays held: `high`.

    Example:
        >>> heap = Heap()
        >>> first, second = heap.allocate(1000), heap.allocate(1000)
        >>> heap.release(first)
        >>> _ = heap.allocate(1000)  # does not fit where the first was
        >>> heap.high, heap.used
        (3072, 2048)
    """

    def __init__(self) -> None:
        self.high = 0
        self.used = 0
        self._end = 0
        self._gaps: list[tuple[int, int]] = []  # (size, start), sorted
        self._size_at: dict[int, int] = {}  # of each gap, by its start
        self._start_at: dict[int, int] = {}  # of each gap, by its end
        self._blocks: dict[int, int] = {}

    def allocate(self, num_bytes: int) -> int:
        """Allocate a block; return its start."""
        size = (num_bytes // ALIGNMENT + 1) * ALIGNMENT
        index = bisect_left(self._gaps, (size + SLACK, -1))
        if index < len(self._gaps):
            gap, start = self._gaps[index]
            self._close(gap, start)
            if gap > size:
                self._open(start + size, gap - size)
        else:
            start = self._end
            self._end += size
            self.high = max(self.high, self._end)
        self._blocks[start] = size
        self.used += size
        return start

    def release(self, start: int) -> None:
        """Free a block."""
        size = self._blocks.pop(start)
        self.used -= size
        if (after := self._size_at.get(start + size)) is not None:
            self._close(after, start + size)
            size += after
        if (before := self._start_at.get(start)) is not None:
            self._close(start - before, before)
            start, size = before, size + start - before
        if start + size == self._end:
            self._end = start
        else:
            self._open(start, size)

    def _open(self, start: int, size: int) -> None:
        insort(self._gaps, (size, start))
        self._size_at[start] = size
        self._start_at[start + size] = start

    def _close(self, size: int, start: int) -> None:
        del self._gaps[bisect_left(self._gaps, (size, start))]
        del self._size_at[start]
        del self._start_at[start + size]
