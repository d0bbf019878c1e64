"""OpenAI's embeddings on the wire, as vLLM and Text Embeddings Inference speak them too."""

import base64
import binascii
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, clip
from real_cli.llm.served.wire import Wire, in_order
from real_cli.records.questions import Question
from real_cli.records.record import Record

# Little-endian float32, which the `base64` of OpenAI's API holds.
WIRE_FLOATS = np.dtype("<f4")
NUMBERS = ("encoding_format", "the server takes no 'encoding_format': vectors are read as it sends them")


def embeddings_wire(dimensions: int | None) -> Wire:
    """Make the wire of /v1/embeddings; with `dimensions` the server is to cut its vectors to so many numbers."""
    body = partial(_embeddings_body, dimensions=dimensions)
    return Wire("embeddings", body, _read_vectors, "check the address and the model's name", NUMBERS)


def _embeddings_body(model: str, questions: Sequence[Question], dimensions: int | None) -> Record:
    asked = {"model": model, "input": [question.messages for question in questions], "encoding_format": "base64"}
    return asked | ({} if dimensions is None else {"dimensions": dimensions})


def _read_vectors(reply: Any, number: int) -> list[str]:
    return [_as_base64(value) for value in in_order(reply, number, "embedding")]


def _as_base64(value: Any) -> str:
    """Write a vector as base64; what is none is left to its own question, which the others need not share."""
    if isinstance(value, str):
        return value
    try:
        with np.errstate(over="ignore"):  # beyond float32's range is infinite, and refused when it is read
            numbers = np.asarray(value, dtype=np.float64).astype(WIRE_FLOATS)
    except (TypeError, ValueError):
        return ""
    return base64.b64encode(numbers.tobytes()).decode("ascii") if numbers.ndim == 1 else ""


class VectorReader:
    """Reads vectors, all of one width: the one asked for, else that of the first.

    Args:
        dimensions: The width that was asked for; None for the server's own.
    """

    def __init__(self, dimensions: int | None) -> None:
        self._width = dimensions

    def __call__(self, text: str) -> NDArray[np.float32]:
        """Read one vector, shape (dim,); RecordError if it is none, not finite, or of another width."""
        try:
            vector = np.frombuffer(base64.b64decode(text, validate=True), WIRE_FLOATS).astype(np.float32)
        except (ValueError, binascii.Error):
            raise RecordError(f"the server's vector is no base64 of float32, nor numbers: {clip(text, 60)}") from None
        if not vector.size or not np.isfinite(vector).all():
            raise RecordError("the server's vector is empty, or holds a number that is not finite")
        self._width = self._width or vector.size
        if vector.size != self._width:
            raise RecordError(f"the server's vector has {vector.size:,} numbers where {self._width:,} are expected")
        return vector
