"""Where blocks go: what a heap that keeps what is freed would hold."""

from hypothesis import given
from hypothesis import strategies as st

from real_cli.train.estimate.heap import ALIGNMENT, SLACK, Heap

KB = 1024 - ALIGNMENT  # takes 1,024 bytes


def test_a_gap_is_used_again_and_the_smallest_that_holds_a_block_first():
    """Of gaps of 3 and 2 KB, a block of 1 KB takes the small one, and the heap does not grow."""
    heap = Heap()
    large = heap.allocate(3 * 1024 - ALIGNMENT)
    heap.allocate(KB)
    small = heap.allocate(2 * 1024 - ALIGNMENT)
    heap.allocate(KB)
    heap.release(large)
    heap.release(small)
    assert heap.allocate(KB) == small
    assert heap.high == 7 * 1024


def test_a_gap_of_the_same_size_has_no_room_for_the_slack():
    """What memalign looks for is larger than what it keeps: the block goes to the end."""
    heap = Heap()
    freed = heap.allocate(KB)
    heap.allocate(KB)
    heap.release(freed)
    assert heap.allocate(KB) == 2 * 1024
    assert heap.allocate(KB - SLACK) == freed


def test_neighbors_that_are_free_become_one_gap():
    """Three blocks of 1 KB, freed in any order before a fourth, hold one of 3 KB but for the slack."""
    heap = Heap()
    first, second, third, _ = (heap.allocate(KB) for _ in range(4))
    for start in (first, third, second):
        heap.release(start)
    assert heap.allocate(3 * 1024 - ALIGNMENT - SLACK) == first
    assert heap.high == 4 * 1024


def test_a_block_that_fits_into_no_gap_makes_the_heap_grow():
    """Two gaps of 1 KB do not hold 2 KB: they lie apart."""
    heap = Heap()
    starts = [heap.allocate(KB) for _ in range(4)]
    heap.release(starts[0])
    heap.release(starts[2])
    heap.allocate(2 * 1024 - ALIGNMENT)
    assert (heap.high, heap.used) == (6 * 1024, 4 * 1024)


@given(st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 10)), max_size=60))
def test_blocks_never_overlap_and_all_that_is_freed_comes_back(moves):
    """Allocate, free some, and at the end all: the heap is one gap again, and never held less than its blocks."""
    heap, live = Heap(), {}
    for size, which in moves:
        start = heap.allocate(size)
        assert all(start + size <= other or other + length <= start for other, length in live.items())
        live[start] = size
        assert heap.high >= heap.used >= sum(live.values())
        if which < len(live):
            victim = sorted(live)[which]
            del live[victim]
            heap.release(victim)
    for start in live:
        heap.release(start)
    assert heap.used == 0
    if moves:  # one gap, at the end: a block of all of it starts at 0
        assert heap.allocate(heap.high - ALIGNMENT) == 0
