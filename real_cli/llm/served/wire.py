"""The wire of a server that embeds or scores: several questions in one body, one text for each from the reply."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import orjson

from real_cli.errors import RecordError, clip
from real_cli.records.questions import Question
from real_cli.records.record import Record


class Wire(NamedTuple):
    """How a server is asked, and how its reply is read.

    Attributes:
        route: Behind the address, as "embeddings"; with a slash in front, in place of its /v1.
        body: Writes questions to a model as one body.
        read: Reads a reply to a number of questions: one text for each, in their order, which the cache keeps.
        hint: What to check where the server knows no such route or model.
        optional: A setting of the body without which a server that refuses it is asked, and what that is told as.
    """

    route: str
    body: Callable[[str, Sequence[Question]], Record]
    read: Callable[[Any, int], list[str]]
    hint: str
    optional: tuple[str, str] = ("", "")

    def key(self, model: str, question: Question) -> str:
        """Return the cache key of a question: 32 hexadecimal digits, equal exactly for equal requests."""
        asked = {"route": self.route, "model": model, **self.body(model, [question])}
        return hashlib.blake2b(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def in_order(reply: Any, number: int, field: str) -> list[Any]:
    """Take a field of each entry of a reply's `data`, in the order of the questions, which `index` gives.

    >>> in_order({"data": [{"index": 1, "score": 0.5}, {"index": 0, "score": 2.0}]}, 2, "score")
    [2.0, 0.5]
    """
    entries = reply.get("data") if isinstance(reply, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and field in entry for entry in entries):
        raise RecordError(f"the server's answer has no 'data' with '{field}': {clip(reply)}")
    if len(entries) != number:
        raise RecordError(f"the server's answer has {len(entries):,} results for {number:,} questions")
    by_index = {entry.get("index"): entry[field] for entry in entries if type(entry.get("index")) is int}
    if by_index.keys() != set(range(number)):
        indices = [entry.get("index") for entry in entries]
        raise RecordError(f"the server's answer counts its results as {clip(indices)}; 0 to {number - 1} are needed")
    return [by_index[index] for index in range(number)]
