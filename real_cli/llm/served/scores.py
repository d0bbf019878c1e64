"""Servers that score on the wire: vLLM's classify, pooling and score, and predict of Text Embeddings Inference.

All are asked for raw numbers, which a reward model at hand gives too: no softmax, no sigmoid.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from real_cli.errors import RecordError, UsageError, clip
from real_cli.llm.served.routes import ScoringRoute
from real_cli.llm.served.wire import Wire, in_order
from real_cli.records.questions import Question
from real_cli.records.record import Record

HINT = "check the address, the model's name, and --api"
RAW = {"use_activation": False}


class TokenIds(str):
    """Token ids of one sequence, in decimals with blanks between them: a text that is laid out already."""

    __slots__ = ()


class WireLayout(StrEnum):
    """What of a prompt and a response goes over the wire."""

    messages = "messages"
    pair = "pair"


class ScoringApi(NamedTuple):
    """A way to ask a server for scores.

    Attributes:
        layout: What it is sent where no tokenizer lays texts out here.
        wire: How it is asked.
        takes_ids: Whether it takes token ids.
    """

    layout: WireLayout
    wire: Wire
    takes_ids: bool


def _input_body(model: str, questions: Sequence[Question]) -> Record:
    """Write one conversation, to which the server applies its chat template, or several sequences of token ids."""
    text = questions[0].messages
    if isinstance(text, str):
        return {"model": model, "input": [list(map(int, str(asked.messages).split())) for asked in questions], **RAW}
    return {"model": model, "messages": text, "add_generation_prompt": False, **RAW, **(questions[0].template or {})}


def _score_body(model: str, questions: Sequence[Question]) -> Record:
    prompts, responses = zip(*map(_pair, questions), strict=True)
    return {"model": model, "text_1": list(prompts), "text_2": list(responses), **RAW}


def _predict_body(model: str, questions: Sequence[Question]) -> Record:
    """Write pairs; the server has one model, whose name it does not take."""
    return {"inputs": [list(_pair(question)) for question in questions], "raw_scores": True, "truncate": False}


def _pair(question: Question) -> tuple[str, str]:
    assert not isinstance(question.messages, str)
    prompt, response = question.messages
    return prompt["content"], response["content"]


def _read_classes(reply: Any, number: int) -> list[str]:
    return [_numbered(probs) for probs in in_order(reply, number, "probs")]


def _read_scores(reply: Any, number: int) -> list[str]:
    return [_numbered([score]) for score in in_order(reply, number, "score")]


def _read_pooled(reply: Any, number: int) -> list[str]:
    """Read what was pooled; of a model that answers for each token, its last one's numbers."""
    pooled = in_order(reply, number, "data")
    return [
        _numbered(row[-1] if isinstance(row, list) and row and isinstance(row[-1], list) else row) for row in pooled
    ]


def _read_predictions(reply: Any, number: int) -> list[str]:
    if not isinstance(reply, list) or len(reply) != number or not all(isinstance(row, list) for row in reply):
        raise RecordError(f"the server's answer is no list of {number:,} lists of labels: {clip(reply)}")
    return [_labeled(row) for row in reply]


def _numbered(values: Any) -> str:
    labels = {str(place): value for place, value in enumerate(values)} if isinstance(values, list) else {}
    return orjson.dumps(labels).decode()


def _labeled(row: list[Any]) -> str:
    entries = [entry for entry in row if isinstance(entry, dict)]
    return orjson.dumps({str(entry.get("label")): entry.get("score") for entry in entries}).decode()


APIS: dict[ScoringRoute, ScoringApi] = {
    ScoringRoute.classify: ScoringApi(WireLayout.messages, Wire("/classify", _input_body, _read_classes, HINT), True),
    ScoringRoute.pooling: ScoringApi(WireLayout.messages, Wire("/pooling", _input_body, _read_pooled, HINT), True),
    ScoringRoute.score: ScoringApi(WireLayout.pair, Wire("/score", _score_body, _read_scores, HINT), False),
    ScoringRoute.predict: ScoringApi(WireLayout.pair, Wire("/predict", _predict_body, _read_predictions, HINT), False),
}


def read_labels(text: str) -> dict[str, float]:
    """Read the numbers of one response, by label; RecordError if there is none, or one that is not finite.

    >>> read_labels('{"0": 1.5}')
    {'0': 1.5}
    """
    try:
        labels = orjson.loads(text)
    except orjson.JSONDecodeError:
        labels = None
    values = list(labels.values()) if isinstance(labels, dict) else []
    is_sound = [type(value) in (int, float) and math.isfinite(value) for value in values]
    if not is_sound or not all(is_sound):
        raise RecordError(f"the server's score is no finite number: {clip(text, 60)}")
    return {name: float(value) for name, value in labels.items()}


def choose_label(model: str, labels: dict[str, float], label: int | None) -> float:
    """Choose the number that is the score, by the label's place or its name LABEL_N.

    >>> choose_label("m", {"LABEL_0": 0.5, "LABEL_1": 2.0}, 1)
    2.0
    """
    if label is None and len(labels) == 1:
        return next(iter(labels.values()))
    numbers = [labels[name] for name in (str(label), f"LABEL_{label}") if label is not None and name in labels]
    if not numbers:
        names = clip(", ".join(sorted(labels)))
        asked = f"model '{model}' has several labels" if label is None else f"--label {label}: is no label of the model"
        raise UsageError(f"{asked}; say with --label which is the score: {names}")
    return numbers[0]
