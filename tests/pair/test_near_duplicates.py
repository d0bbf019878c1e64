"""Near-duplicate prompts: distances of unit vectors, block by block."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import pairwise_distances

from real_cli.errors import RecordError
from real_cli.pair.near_duplicates import compare_by_faiss, compare_by_product, find_neighbors, read_prompt_vector

COMPARE = [compare_by_product, pytest.param(compare_by_faiss, id="compare_by_faiss")]
both_ways = pytest.mark.parametrize("compare", COMPARE)


@pytest.fixture(autouse=True)
def installed(request):
    if request.node.get_closest_marker("parametrize") and "compare_by_faiss" in request.node.name:
        pytest.importorskip("faiss", reason="an extra: pip install 'real-cli[faiss]'")


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def clustered(seed, n, dim=5):
    """Vectors around a few centers, some of them the same."""
    draw = np.random.default_rng(seed)
    centers = draw.normal(size=(max(1, n // 4), dim))
    spread = draw.choice([0.0, 0.05, 0.1, 1.0], size=(n, 1))
    return unit(centers[draw.integers(len(centers), size=n)] + spread * draw.normal(size=(n, dim)))


def by_the_book(vectors, limit):
    """All pairs at once, by scikit-learn."""
    exact = vectors.astype(np.float64)
    distances = pairwise_distances(exact, metric="sqeuclidean")
    np.fill_diagonal(distances, np.inf)
    near = distances < limit
    firsts = [min([row, *np.flatnonzero(near[row])]) for row in range(len(vectors))]
    return distances.min(axis=1), near.sum(axis=1), firsts


def test_a_cosine_of_975_is_a_distance_of_05():
    """Methods 20(f): 2 (1 - .975) = .05."""
    angle = np.arccos(0.975)
    vectors = unit(np.array([[1, 0], [np.cos(angle), np.sin(angle)]]))
    assert find_neighbors(vectors, 0.0501).distances == pytest.approx([0.05, 0.05], abs=1e-6)
    assert find_neighbors(vectors, 0.0501).counts.tolist() == [1, 1]
    assert find_neighbors(vectors, 0.0499).counts.tolist() == [0, 0]


@both_ways
def test_the_same_prompt_is_at_distance_0_and_the_first_is_kept(compare):
    """Methods 20(f): distance 0, repeat count 1 or more, the first index kept; here twice more at 2 and 4."""
    vectors = unit(np.array([[0, 1], [1, 3], [1, 1.001], [5, 0], [1, 1.001]]))
    result = find_neighbors(vectors, 0.05, compare=compare)
    assert result.distances[[2, 4]].tolist() == [0.0, 0.0]
    assert result.counts.tolist() == [0, 0, 1, 0, 1]
    assert result.firsts.tolist() == [0, 1, 2, 3, 2]
    assert result.is_first().tolist() == [True, True, True, True, False]


@both_ways
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([1, 2, 7, 16, 100]), st.floats(0.001, 2.5))
def test_blocks_find_what_all_pairs_at_once_find(compare, seed, n, block, limit):
    vectors = clustered(seed, n)
    distances, counts, firsts = by_the_book(vectors, limit)
    result = find_neighbors(vectors, limit, compare=compare, block=block)
    assert result.distances == pytest.approx(distances, abs=1e-6)
    assert result.counts.tolist() == counts.tolist()
    assert result.firsts.tolist() == firsts


@both_ways
def test_many_of_the_same_are_all_counted(compare):
    """5,000 pairs in doubt are measured in parts: all 101 vectors lie within rounding of the limit 1."""
    vectors = np.repeat(unit(np.array([[1.0, 0, 0]])), 101, axis=0)
    result = find_neighbors(vectors, 1e-6, compare=compare, block=50)
    assert result.counts.tolist() == [100] * 101
    assert result.firsts.tolist() == [0] * 101
    assert result.distances.tolist() == [0.0] * 101


@pytest.mark.parametrize(("limit", "count"), [(1.0, 0), (1.0 + 1e-9, 1)])
def test_the_limit_itself_is_not_near(limit, count):
    """Four zeros and ones whose distance is 1 exactly: (1, 0, 0, 0) and (.5, .5, .5, .5), 2 - 2 * .5."""
    vectors = unit(np.array([[1.0, 0, 0, 0], [0.5, 0.5, 0.5, 0.5]]))
    assert find_neighbors(vectors, limit).counts.tolist() == [count, count]


def test_one_vector_alone_has_no_neighbor():
    result = find_neighbors(unit(np.ones((1, 3))), 0.05)
    assert (result.distances.tolist(), result.counts.tolist(), result.firsts.tolist()) == ([np.inf], [0], [0])


def test_a_chain_is_left_with_its_first():
    """Each 14 degrees from the next, d = 2 (1 - cos 14) = .0594: 2 is near 1 but not near 0, and goes with 1."""
    angles = np.radians([0, 14, 28])
    result = find_neighbors(unit(np.column_stack([np.cos(angles), np.sin(angles)])), 0.06)
    assert result.is_first().tolist() == [True, False, False]
    assert result.firsts.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("record", "size", "complaint"),
    [
        ({}, None, "field 'embedding' is missing; run 'real embed --field prompt' first"),
        ({"embedding": [0, 0]}, None, "field 'embedding' is all zeros; a zero vector has no direction"),
        ({"embedding": [1, 2]}, 3, "field 'embedding' has 2 numbers, those before have 3; all must agree"),
        (
            {"embedding": "?"},
            None,
            "field 'embedding' is '?'; a JSON array of numbers or base64 of little-endian float32",
        ),
        ({"embedding": []}, None, "field 'embedding' is []; a JSON array"),
    ],
)
def test_a_prompt_without_a_sound_embedding_is_refused(record, size, complaint):
    with pytest.raises(RecordError) as caught:
        read_prompt_vector(record, size)
    assert str(caught.value).startswith(complaint)
