"""The pairs of a record as a judge compared them, in an order that depends on the texts alone."""

import hashlib
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.records.messages import as_completion, is_number, plain_text, text_key
from real_cli.records.record import Record
from real_cli.records.response_fields import responses_of
from real_cli.records.vectors import stack_embeddings
from real_cli.stats.cosine import cosine_similarities


class ComparedPair(NamedTuple):
    """Two responses of a record with different texts.

    Attributes:
        key: 64 bits of the digest of prompt and both texts: equal wherever the same pair stands.
        first: The place in the record of the response that comes first by its text's digest.
        second: Of the other.
        length_difference: How much longer the first is, in characters.
    """

    key: int
    first: int
    second: int
    length_difference: int


class ComparedRecord(NamedTuple):
    """The pairs of a record.

    Attributes:
        prompt: 64 bits of the prompt's digest.
        pairs: Those of different texts.
        num_equal: How many are of equal texts.
    """

    prompt: int
    pairs: list[ComparedPair]
    num_equal: int


def compared_pairs(record: Record) -> ComparedRecord:
    """List the pairs of a record.

    >>> compared_pairs({"prompt": "q", "chosen": "a", "rejected": "a"}).num_equal
    1
    >>> texts = [("yes", "n"), ("n", "yes")]
    >>> both = [{"prompt": "q", "chosen": chosen, "rejected": rejected} for chosen, rejected in texts]
    >>> [compared_pairs(record).pairs[0][1:] for record in both]
    [(1, 0, -2), (0, 1, -2)]
    """
    prompt = record["prompt"]
    texts = [as_completion(prompt, response["text"]) for response in responses_of(record)]
    keys, lengths = [text_key(text) for text in texts], [len(plain_text(text)) for text in texts]
    home = text_key(prompt)
    pairs, num_equal = [], 0
    for left, right in combinations(range(len(texts)), 2):
        if keys[left] == keys[right]:
            num_equal += 1
            continue
        first, second = (left, right) if keys[left] < keys[right] else (right, left)
        digest = hashlib.blake2b(home + keys[first] + keys[second], digest_size=8).digest()
        pairs.append(ComparedPair(int.from_bytes(digest, "big"), first, second, lengths[first] - lengths[second]))
    return ComparedRecord(int.from_bytes(home[:8], "big"), pairs, num_equal)


def similarities_of(record: Record) -> NDArray[np.float64] | float:
    """Find how similar responses are: by embeddings, a matrix; else what a pair says of itself, NaN if it does not."""
    responses = responses_of(record)
    if len(responses) > 1 and all(response.get("embedding") is not None for response in responses):
        vectors = stack_embeddings(responses, list(range(1, len(responses) + 1)))
        return np.asarray(cosine_similarities(vectors), dtype=np.float64)
    given = record.get("similarity")
    return float(given) if len(responses) == 2 and is_number(given) else float("nan")  # type: ignore[arg-type]
