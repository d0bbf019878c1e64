"""How near each vector of a file is to the others, block by block: Magpie's measures of repetition.

Distances are squared and Euclidean, between unit vectors: d = 2 (1 - cos), from 0 to 4; a cosine of .975 is .05.
"""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, clip
from real_cli.records.record import Record
from real_cli.records.vectors import decode_embedding

Rows: TypeAlias = NDArray[np.float32]
Places: TypeAlias = NDArray[np.int64]
Numbers: TypeAlias = NDArray[np.float64]

# A block of this many vectors is compared with another one at a time: 16 MB of distances.
BLOCK = 2048
# How far a distance of float32 products may be from that of float64 ones; what is nearer to the limit is done again.
DOUBT = 1e-5
# Pairs whose distances are done again at a time.
PAIRS = 4096
# What float32 embeddings can tell of a squared distance.
DIGITS = 6


class Near(NamedTuple):
    """What one block's vectors find in another block.

    Attributes:
        nearest: For each vector the place of its nearest, in the other block, shape (n,).
        distances: How far that is, shape (n,); infinite if there is none but the vector itself.
        pairs: Places in both blocks of all that are within a limit, shapes (m,) and (m,), and their distances.
    """

    nearest: Places
    distances: Numbers
    pairs: tuple[Places, Places, Numbers]


Compare: TypeAlias = Callable[[Rows, Rows, float, bool], Near]


class Neighbors(NamedTuple):
    """What each vector finds among all others.

    Attributes:
        distances: To the nearest other one, shape (n,); infinite for a vector alone.
        counts: How many others are nearer than the limit, shape (n,).
        firsts: The place of the first of those and itself, shape (n,).
    """

    distances: Numbers
    counts: Places
    firsts: Places

    def is_first(self) -> NDArray[np.bool_]:
        """Tell which vectors have no earlier one nearer than the limit."""
        return np.asarray(self.firsts == np.arange(len(self.firsts)))


def read_prompt_vector(record: Record, size: int | None = None) -> Rows:
    """Read the embedding of a prompt.

    >>> read_prompt_vector({"prompt": "q", "embedding": [3, 4]})
    array([0.6, 0.8], dtype=float32)
    """
    value = record.get("embedding")
    if value is None:
        raise RecordError("field 'embedding' is missing; run 'real embed --field prompt' first")
    try:
        vector = decode_embedding(record)
    except RecordError:
        raise RecordError(
            f"field 'embedding' is {clip(value)}; a JSON array of numbers or base64 of little-endian float32 is needed"
        ) from None
    norm = np.linalg.norm(vector)
    if not norm:
        raise RecordError("field 'embedding' is all zeros; a zero vector has no direction")
    if size is not None and vector.size != size:
        raise RecordError(f"field 'embedding' has {vector.size} numbers, those before have {size}; all must agree")
    return np.asarray(vector / norm, dtype=np.float32)


def find_neighbors(vectors: Rows, limit: float, *, compare: Compare | None = None, block: int = BLOCK) -> Neighbors:
    """Compare every vector with every other, a block with a block at a time.

    >>> vectors = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    >>> neighbors = find_neighbors(vectors, 0.05)
    >>> neighbors.distances.tolist(), neighbors.counts.tolist(), neighbors.firsts.tolist()
    ([0.0, 2.0, 0.0], [1, 0, 1], [0, 1, 0])

    References:
        Xu et al., 2024, Magpie, arXiv:2406.08464: min_neighbor_distance and repeat_count, over all and not 500.
    """
    compare = compare or (compare_by_faiss if find_spec("faiss") else compare_by_product)
    size = len(vectors)
    neighbors = Neighbors(np.full(size, np.inf), np.zeros(size, np.int64), np.arange(size))
    nearest = np.arange(size)
    for start in range(0, size, block):
        rows_here = np.asarray(vectors[start : start + block])
        rows = slice(start, start + len(rows_here))
        for other in range(0, size, block):
            near = compare(rows_here, np.asarray(vectors[other : other + block]), limit + DOUBT, start == other)
            is_nearer = near.distances < neighbors.distances[rows]
            neighbors.distances[rows][is_nearer] = near.distances[is_nearer]
            nearest[rows][is_nearer] = near.nearest[is_nearer] + other
            left, right = _surely_near(vectors, near.pairs, limit, (start, other))
            neighbors.counts[rows] += np.bincount(left, minlength=len(rows_here))
            np.minimum.at(neighbors.firsts[rows], left, right + other)
    is_alone = np.isinf(neighbors.distances)
    for part in _slices(size):
        neighbors.distances[part] = _distances(vectors[part], vectors[nearest[part]])
    neighbors.distances[is_alone] = np.inf
    return neighbors


def compare_by_product(block: Rows, others: Rows, limit: float, same: bool) -> Near:
    """Compare two blocks by the product of their matrices."""
    products = block @ others.T
    if same:
        np.fill_diagonal(products, -np.inf)
    nearest = products.argmax(axis=1)
    best = products[np.arange(len(block)), nearest]
    least = 1 - limit / 2
    with_near = np.flatnonzero(best > least)  # mostly few: the others are not looked at again
    rows, columns = np.nonzero(products[with_near] > least)
    rows = with_near[rows]
    return Near(nearest, _from_products(best), (rows, columns, _from_products(products[rows, columns])))


def compare_by_faiss(block: Rows, others: Rows, limit: float, same: bool) -> Near:
    """Compare two blocks by a flat index, which never holds all of their distances."""
    import faiss

    index: Any = faiss.IndexFlatIP(others.shape[1])
    index.add(np.ascontiguousarray(others))
    queries = np.ascontiguousarray(block)
    products, places = index.search(queries, min(2, len(others)))
    first = np.zeros(len(block), dtype=np.int64)
    if same:
        first = (places[:, 0] == np.arange(len(block))).astype(np.int64)
    rows = np.arange(len(block))
    is_alone = first >= places.shape[1]
    first[is_alone] = 0
    distances = _from_products(products[rows, first])
    distances[is_alone] = np.inf
    bounds, values, columns = index.range_search(queries, 1 - limit / 2)
    pairs = np.repeat(rows, np.diff(bounds.astype(np.int64))), columns, _from_products(values)
    kept = pairs[0] != pairs[1] if same else np.ones(len(columns), dtype=bool)
    return Near(places[rows, first], distances, (pairs[0][kept], pairs[1][kept], pairs[2][kept]))


def _from_products(products: Rows) -> Numbers:
    return np.asarray(2 - 2 * products.astype(np.float64))


def _surely_near(
    vectors: Rows, pairs: tuple[Places, Places, Numbers], limit: float, starts: tuple[int, int]
) -> tuple[Places, Places]:
    """Keep the pairs below the limit; those in doubt are measured again, so that the block's size decides nothing."""
    left, right, distances = pairs
    is_near = distances < limit - DOUBT
    doubtful = np.flatnonzero(~is_near & (distances < limit + DOUBT))
    for part in _slices(len(doubtful)):
        some = doubtful[part]
        is_near[some] = _distances(vectors[left[some] + starts[0]], vectors[right[some] + starts[1]]) < limit
    return left[is_near], right[is_near]


def _slices(size: int) -> Iterator[slice]:
    return (slice(start, start + PAIRS) for start in range(0, size, PAIRS))


def _distances(left: Rows, right: Rows) -> Numbers:
    """Measure from vector to vector; 0 exactly for two that are the same."""
    differences = left.astype(np.float64) - right.astype(np.float64)
    return np.asarray((differences * differences).sum(axis=1))
