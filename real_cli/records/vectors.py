"""Embeddings on a line and their cosine similarities, in numpy."""

import base64
import binascii
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, clip
from real_cli.records.choices import Encoding
from real_cli.records.record import Record

Vectors: TypeAlias = NDArray[np.float64]

FLOAT32 = np.dtype(np.float32)
DTYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "float16": np.dtype("<f2")}


def encode_embedding(embedding: NDArray[np.float32], encoding: Encoding) -> Record:
    """Return the fields that carry an embedding on a response.

    Args:
        embedding: One vector, shape (dim,).
        encoding: `array` writes JSON numbers; `base64` the bytes of little-endian float32, as OpenAI's API does;
            `base64-float16` half of that, named by `embedding_dtype`.

    Returns:
        `embedding`, and `embedding_dtype` where the reader must know.

    Example:
        >>> encode_embedding(np.array([1.0, 0.0], dtype=np.float32), Encoding.base64)
        {'embedding': 'AACAPwAAAAA='}
    """
    if encoding is Encoding.array:
        return {"embedding": np.ascontiguousarray(embedding, dtype=np.float32)}
    name = "float16" if encoding is Encoding.base64_float16 else "float32"
    fields = {"embedding": base64.b64encode(embedding.astype(DTYPES[name]).tobytes()).decode("ascii")}
    return fields if name == "float32" else fields | {"embedding_dtype": name}


def decode_embedding(response: Record, number: int = 1) -> Vectors:
    """Read the embedding of a response, a JSON array or base64.

    Args:
        response: An object with `embedding`; `embedding_dtype` says float16 where base64 is not float32.
        number: The response's place in its record, counted from 1, for messages.

    Returns:
        The vector, shape (dim,).

    Raises:
        RecordError: If there is no embedding, or it is no vector of finite numbers.

    Example:
        >>> decode_embedding({"embedding": "AACAPwAAAAA="})
        array([1., 0.])
    """
    value = response.get("embedding")
    if value is None:
        raise RecordError(f"response {number} has no 'embedding'; run 'real embed' first, or choose by score")
    try:
        if isinstance(value, str):
            raw = np.frombuffer(
                base64.b64decode(value, validate=True), DTYPES[response.get("embedding_dtype", "float32")]
            )
        else:
            # The same numbers from decimals and from bytes.
            with np.errstate(over="ignore"):  # beyond float32's range is infinite, and refused below
                raw = np.asarray(value, dtype=np.float64).astype(np.float32)
    except (ValueError, TypeError, KeyError, binascii.Error):
        raw = np.empty(0)
    vector: Vectors = raw.astype(np.float64)
    if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
        raise RecordError(
            f"response {number}: 'embedding' is {clip(value)}; a JSON array of numbers or base64 of little-endian "
            "float32 is needed"
        )
    return vector


def stack_embeddings(responses: list[Record], numbers: Sequence[int] | None = None) -> Vectors:
    """Read the embeddings of all responses of a prompt.

    Args:
        responses: Objects with `embedding`.
        numbers: Their places in the record, counted from 1, for messages; 1, 2, ... if None.

    Returns:
        Unit vectors, shape (n, dim).

    Raises:
        RecordError: If one is missing, their lengths differ, or one is zero and so has no direction.

    Example:
        >>> stack_embeddings([{"embedding": [3, 4]}, {"embedding": [0, 2]}])
        array([[0.6, 0.8],
               [0. , 1. ]])
    """
    numbers = numbers or range(1, len(responses) + 1)
    stacked = decode_alike(responses).astype(np.float64)
    norms = row_norms(stacked)
    if not stacked.size or not np.isfinite(norms).all():
        stacked = _decode_one_by_one(responses, numbers)
        norms = row_norms(stacked)
    if not norms.all():
        number = numbers[int(np.argmin(norms))]
        raise RecordError(f"response {number}: 'embedding' is all zeros; a zero vector has no cosine similarity")
    return np.asarray(stacked / norms, dtype=np.float64)


def decode_alike(responses: list[Record]) -> NDArray[np.floating[Any]]:
    """Read embeddings of one form and length, without a look at each of their numbers.

    Args:
        responses: Objects with `embedding`.

    Returns:
        The vectors as float32 or float16, shape (n, dim), which may hold infinity or NaN; an empty array where
        `decode_embedding` has to look at one response after the other.

    Example:
        >>> decode_alike([{"embedding": [3, 4]}, {"embedding": [0, 2]}]).tolist()
        [[3.0, 4.0], [0.0, 2.0]]
        >>> decode_alike([{"embedding": [3, 4]}, {"embedding": "AACAPw=="}]).size
        0
    """
    values: list[Any] = [response.get("embedding") for response in responses]
    data: list[bytes] = []
    dtype = FLOAT32
    try:
        forms = set(map(type, values))
        if forms == {list}:
            # struct reads a list of floats in less than half of numpy's time.
            pack = _packer(len(values[0]))
            data = [pack(*value) for value in values]
        elif forms == {str}:
            (name,) = {response.get("embedding_dtype", "float32") for response in responses}
            data = [base64.b64decode(value, validate=True) for value in values]
            dtype = DTYPES[name]
        if len(set(map(len, data))) == 1:
            return np.frombuffer(b"".join(data), dtype).reshape(len(data), -1)
    except (ValueError, TypeError, KeyError, struct.error):
        pass
    return np.empty((0, 0), FLOAT32)


@lru_cache(maxsize=16)
def _packer(size: int) -> Callable[..., bytes]:
    return struct.Struct(f"{size}f").pack


def _decode_one_by_one(responses: list[Record], numbers: Sequence[int]) -> Vectors:
    """Decode mixed forms; the first response without a sound embedding is named."""
    vectors = [decode_embedding(response, number) for number, response in zip(numbers, responses, strict=True)]
    sizes = sorted({vector.size for vector in vectors})
    if len(sizes) > 1:
        raise RecordError(f"embeddings have {' and '.join(map(str, sizes))} numbers; all of a record must agree")
    return np.stack(vectors)


def row_norms(embeddings: Vectors) -> Vectors:
    """Return the length of each vector, shape (..., n, 1); finite exactly where all its float32 numbers are."""
    return np.asarray(np.sqrt(np.add.reduce(embeddings * embeddings, axis=-1, keepdims=True)))
