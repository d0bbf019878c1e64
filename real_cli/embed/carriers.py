"""Which texts of a record are embedded, and where their vectors go."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from real_cli.embed.choices import Field
from real_cli.records.choices import Encoding
from real_cli.records.messages import plain_text, without_system
from real_cli.records.record import Record, to_candidates
from real_cli.records.vectors import encode_embedding


def prepared(record: Record, field: Field) -> Record:
    """Return a record in the form that carries embeddings: candidates for responses, itself for its prompt."""
    return to_candidates(record) if field is Field.responses else record


def texts_of(record: Record, field: Field) -> list[str]:
    """Return the texts of a prepared record that are embedded; of a prompt all but its system messages."""
    if field is Field.prompt:
        return [plain_text(without_system(record["prompt"]))]
    return [plain_text(response["text"]) for response in record["responses"]]


def with_embeddings(record: Record, vectors: Iterator[NDArray[np.float32]], field: Field, encoding: Encoding) -> Record:
    """Put vectors on a prepared record, one for each of its texts."""
    if field is Field.prompt:
        return record | encode_embedding(next(vectors), encoding)
    of_record = islice(vectors, len(record["responses"]))
    responses = [
        {name: value for name, value in response.items() if name != "embedding_dtype"}
        | encode_embedding(vector, encoding)
        for response, vector in zip(record["responses"], of_record, strict=True)
    ]
    return record | {"responses": responses}
