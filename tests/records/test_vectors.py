"""Embeddings on a line, and cosine similarities."""

import base64
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics.pairwise import cosine_similarity

from real_cli.errors import RecordError
from real_cli.records.choices import Encoding
from real_cli.records.vectors import DTYPES, decode_alike, decode_embedding, encode_embedding, stack_embeddings
from real_cli.stats.cosine import cosine_similarities

SEEDS = st.integers(0, 2**32 - 1)
float32_vectors = arrays(np.float32, st.integers(1, 8), elements=st.floats(-1e4, 1e4, width=32))

json_numbers = st.floats(-1e38, 1e38) | st.integers(-(2**63), 2**64 - 1) | st.booleans()


def random_vectors(seed: int, n: int = 5, dim: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)


def similarities_of(vectors: np.ndarray) -> np.ndarray:
    return cosine_similarities(stack_embeddings([{"embedding": vector.tolist()} for vector in vectors]))


# By hand


def test_stacking_divides_each_vector_by_its_length():
    """|(3, 4)| = sqrt(9 + 16) = 5, so (3, 4) becomes (3/5, 4/5); |(0, 2)| = 2."""
    stacked = stack_embeddings([{"embedding": [3, 4]}, {"embedding": [0, 2]}])
    np.testing.assert_allclose(stacked, [[0.6, 0.8], [0.0, 1.0]], rtol=1e-15)


def test_cosine_similarities_of_the_manual():
    """Methods 1(f): 12 .96, 13 .80, 14 0, 23 .96 * .8 + .28 * .6 = .936, 24 .28, 34 .60."""
    u = similarities_of(np.array([[1, 0], [0.96, 0.28], [0.8, 0.6], [0, 1]]))
    np.testing.assert_allclose(u[np.triu_indices(4, 1)], [0.96, 0.80, 0.0, 0.936, 0.28, 0.60], atol=1e-15)


def test_opposite_vectors_have_similarity_minus_one():
    """(1, 2) . (-2, -4) = -10; sqrt(5) * sqrt(20) = 10; -10 / 10 = -1."""
    assert similarities_of(np.array([[1.0, 2.0], [-2.0, -4.0]]))[0, 1] == pytest.approx(-1)


def test_base64_is_little_endian_float32_as_python_packs_it():
    """struct packs 1.0 and -2.5 as 0000803f and 000020c0."""
    packed = base64.b64encode(struct.pack("<2f", 1.0, -2.5)).decode()
    assert encode_embedding(np.array([1.0, -2.5], dtype=np.float32), Encoding.base64) == {"embedding": packed}
    assert decode_embedding({"embedding": packed}).tolist() == [1.0, -2.5]


def test_float16_names_itself_and_takes_half_the_bytes():
    fields = encode_embedding(np.array([1.0, -2.5], dtype=np.float32), Encoding.base64_float16)
    assert fields == {
        "embedding": base64.b64encode(struct.pack("<2e", 1.0, -2.5)).decode(),
        "embedding_dtype": "float16",
    }
    assert decode_embedding(fields).tolist() == [1.0, -2.5]


def test_each_binary_encoding_has_its_number_format():
    assert {f"base64-{name}".removesuffix("-float32") for name in DTYPES} == set(Encoding) - {Encoding.array}


# Against scikit-learn


@given(seed=SEEDS, n=st.integers(2, 8), dim=st.integers(1, 16))
@settings(max_examples=50)
def test_similarities_are_those_of_scikit_learn(seed, n, dim):
    """cosine_similarity of scikit-learn 1.9.1."""
    vectors = random_vectors(seed, n, dim)
    np.testing.assert_allclose(similarities_of(vectors), cosine_similarity(vectors), atol=1e-6)


# Properties


@given(seed=SEEDS, scales=st.lists(st.floats(1e-3, 1e3), min_size=5, max_size=5))
@settings(max_examples=50)
def test_scaling_an_embedding_changes_no_similarity_beyond_float32(seed, scales):
    vectors = random_vectors(seed)
    scaled = vectors * np.array(scales)[:, None]
    np.testing.assert_allclose(similarities_of(scaled), similarities_of(vectors), atol=1e-6)


@given(seed=SEEDS, powers=st.lists(st.integers(-20, 20), min_size=5, max_size=5))
@settings(max_examples=50)
def test_scaling_by_a_power_of_two_changes_no_bit(seed, powers):
    vectors = random_vectors(seed)
    scaled = vectors * 2.0 ** np.array(powers)[:, None]
    assert (similarities_of(scaled) == similarities_of(vectors)).all()


@given(seed=SEEDS, n=st.integers(2, 40), dim=st.integers(1, 64))
@settings(max_examples=50)
def test_similarities_are_exactly_symmetric_and_within_one(seed, n, dim):
    u = similarities_of(random_vectors(seed, n, dim))
    assert (u == u.T).all()
    assert (np.abs(u) <= 1).all()
    np.testing.assert_allclose(np.diag(u), 1)


@given(vector=float32_vectors, encoding=st.sampled_from([Encoding.array, Encoding.base64]))
@settings(max_examples=50)
def test_decoding_gives_back_every_float32(vector, encoding):
    assert decode_embedding(encode_embedding(vector, encoding)).tolist() == vector.tolist()


@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=8))
@settings(max_examples=50)
def test_decimals_and_bytes_of_the_same_numbers_are_the_same_vector(numbers):
    packed = base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    assert decode_embedding({"embedding": numbers}).tolist() == decode_embedding({"embedding": packed}).tolist()


@given(rows=st.integers(1, 5).flatmap(lambda dim: st.lists(st.lists(json_numbers, min_size=dim, max_size=dim))))
@settings(max_examples=50)
def test_vectors_read_together_are_those_read_one_by_one(rows):
    """Decimals, integers up to 64 bits, and true and false, which numpy takes for 1 and 0 too."""
    responses = [{"embedding": row} for row in rows]
    together = decode_alike(responses)
    assert together.astype(float).tolist() == [decode_embedding(response).tolist() for response in responses]


@given(vectors=arrays(np.float32, (3, 4), elements=st.floats(-1e4, 1e4, width=32)), encoding=st.sampled_from(Encoding))
@settings(max_examples=50)
def test_each_encoding_is_read_together_as_one_by_one(vectors, encoding):
    responses = [
        {key: value if isinstance(value, str) else value.tolist() for key, value in fields.items()}
        for fields in (encode_embedding(vector, encoding) for vector in vectors)
    ]
    together = decode_alike(responses)
    assert together.astype(float).tolist() == [decode_embedding(response).tolist() for response in responses]


@pytest.mark.parametrize(
    "odd", [None, [], [1.0], [1.0, None], [1.0, "2"], [[1.0], [2.0]], {"1": 2, "3": 4}, "AACAPwAAAAA=", "no base64!", 5]
)
def test_what_is_not_like_its_neighbor_is_not_read_together(odd):
    assert decode_alike([{"embedding": [1.0, 2.0]}, {"embedding": odd}]).size == 0
    assert decode_alike([{"embedding": "AACAPwAAAAA="}, {"embedding": odd}]).size == (4 if odd == "AACAPwAAAAA=" else 0)


def test_numbers_in_quotes_are_still_numbers():
    assert stack_embeddings([{"embedding": [3, 4]}, {"embedding": ["0", "2"]}]).tolist() == [[0.6, 0.8], [0.0, 1.0]]


@given(vector=float32_vectors)
@settings(max_examples=50)
def test_float16_is_right_to_eleven_bits(vector):
    decoded = decode_embedding(encode_embedding(vector, Encoding.base64_float16))
    np.testing.assert_allclose(decoded, vector, rtol=2**-11, atol=2**-24)


# Errors


@pytest.mark.parametrize(
    "embedding",
    [
        [],
        [[1.0, 2.0]],
        3.0,
        {"a": 1},
        ["x"],
        [1.0, None],
        [float("nan")],
        [1e39],
        "",
        "no base64!",
        "AACA",
        "AADAfw==",
        "é",
    ],
)
def test_what_is_no_vector_of_finite_numbers_is_named_with_its_response(embedding):
    with pytest.raises(RecordError, match="^response 2: 'embedding' is .*; a JSON array of numbers or base64"):
        stack_embeddings([{"embedding": [1.0, 0.0]}, {"embedding": embedding}])


def test_an_unknown_number_format_is_an_error():
    with pytest.raises(RecordError, match="^response 1: 'embedding' is 'AACAPw=='"):
        decode_embedding({"embedding": "AACAPw==", "embedding_dtype": "float99"})


@pytest.mark.parametrize("response", [{"text": "b"}, {"text": "b", "embedding": None}])
def test_a_missing_embedding_is_named_with_its_response(response):
    with pytest.raises(RecordError, match="^response 2 has no 'embedding'; run 'real embed' first"):
        stack_embeddings([{"embedding": [1.0, 0.0]}, response])


def test_a_zero_vector_is_named_with_its_response():
    with pytest.raises(RecordError, match="^response 3: 'embedding' is all zeros"):
        stack_embeddings([{"embedding": [1, 0]}, {"embedding": [0, 1]}, {"embedding": [0, 0]}])


def test_embeddings_of_different_lengths_are_an_error():
    with pytest.raises(RecordError, match="^embeddings have 2 and 3 numbers"):
        stack_embeddings([{"embedding": [1, 0, 0]}, {"embedding": [1, 0]}])
