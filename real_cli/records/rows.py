"""Rows that hold one response each: which of them share a prompt, and how they become one record."""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any

import orjson

from real_cli.records.messages import is_conversation, plain_text
from real_cli.records.public.jq_lines import may_ask
from real_cli.records.public.named_prompts import CONTEXT_FIELDS
from real_cli.records.record import Record

BLANK: tuple[Any, ...] = (None, "", [], {})  # blank context
# A field with such a word in its name describes the response, or who wrote, rated or stored it.
OF_A_RESPONSE = frozenset(
    {
        *("generation", "generated", "chosen", "rejected", "revised", "revision", "edited", "extracted", "parsed"),
        *("score", "scores", "rating", "ratings", "reward", "rewards", "rank", "ranks", "grade", "label", "labels"),
        *("vote", "votes", "upvotes", "axes", "aspects", "quality", "errors", "error", "stats", "quotes", "preference"),
        *("annotation", "annotations", "annotator", "annotators", "worker", "workers", "judge", "judgment", "verdict"),
        *("judgement", "evaluation", "evaluations", "eval", "evaluator", "rater", "reviewer", "critique", "critiques"),
        *("rationale", "rationales", "reason", "reasons", "reasoning", "cot"),
        *("explanation", "justification", "thought", "thoughts", "thinking", "trace", "principle", "principles"),
        *("model", "models", "generator", "policy", "author", "engine", "sampling", "decoding", "temperature", "seed"),
        *("config", "settings", "parameters", "params", "kwargs", "usage", "tokens", "logprobs", "logps", "embedding"),
        *("id", "ids", "uuid", "hash", "key", "metadata", "meta", "tag", "tags", "provider", "sampler", "strategy"),
        *("timestamp", "created", "updated", "version", "statistics", "finish", "stop", "split", "correct", "flagged"),
        *("safe", "safety"),
    }
)
# One word or a number under such a name is a label; several words are a text.
LABEL_WORDS = frozenset(
    {"source", "dataset", "subset", "category", "license", "sentiment", "status", "type", "kind", "level", "style"}
)
# Names of the response itself, if nothing else is in the name: the output of a program that is asked about is none.
RESPONSE_WORDS = frozenset(
    {
        *("response", "responses", "completion", "completions", "output", "outputs", "reply"),
        *("raw", "full", "formatted", "clean", "cleaned", "text", "original", "model"),
    }
)
# A whole number with such a word in its name is measured on the response; with another it may be what is asked about.
MEASURES = frozenset(
    {
        *("length", "len", "num", "n", "count", "total", "size", "chars", "characters", "words", "bytes", "lines"),
        *("min", "max", "mean", "avg", "average", "sum", "std", "prob", "percent", "margin", "loss", "perplexity"),
        *("index", "idx", "row", "position", "place", "turn", "round", "turns", "line", "sample", "candidate"),
        *("attempt", "trial", "run", "epoch", "step", "rollout", "iteration", "order", "latency", "duration"),
        *("overall", "relevance", "likes", "karma", "downvotes", "stars", "weight", "gold", "difficulty", "toxic"),
    }
)
# Of aspects: helpfulness, honesty, accuracy, fluency.
ASPECT_ENDINGS = ("ness", "ity", "acy", "ency", "ancy", "esty", "following")
WORDS = re.compile(r"[a-z]+")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def join_rows(rows: list[Record]) -> Record:
    """Join the rows of one prompt, one response each, into candidates.

    Args:
        rows: Candidates records with one response each and the same prompt.

    Returns:
        One record. A field that all rows agree on stays on the record; others go to their row's response, as row_FIELD
        where the response has that field itself.

    Example:
        >>> join_rows([{"prompt": "q", "responses": [{"text": "a"}], "id": 1, "set": "x"},
        ...            {"prompt": "q", "responses": [{"text": "b"}], "id": 2, "set": "x"}])
        {'prompt': 'q', 'responses': [{'text': 'a', 'id': 1}, {'text': 'b', 'id': 2}], 'set': 'x'}
    """
    first = rows[0]
    common = {field for field in first if all(_alike(first, row, field) for row in rows)}
    kept = common | {"prompt", "responses"}
    responses = []
    for row in rows:
        response = dict(row["responses"][0])
        for field, value in row.items():
            if field not in kept and not (field in CONTEXT_FIELDS and value in BLANK):
                response[f"row_{field}" if field in response else field] = value
        responses.append(response)
    return {field: responses if field == "responses" else value for field, value in first.items() if field in kept}


def _alike(first: Record, row: Record, field: str) -> bool:
    # As JSON: true is not 1.
    return field in first and field in row and orjson.dumps(first[field]) == orjson.dumps(row[field])


def same_prompt(record: Record, other: Record) -> bool:
    """Tell whether two records share their prompt and its context: tools, images and the like.

    Args:
        record: A checked record.
        other: Another.

    Returns:
        True if their prompts and contexts are equal.

    Example:
        >>> same_prompt({"prompt": "q", "id": 1}, {"prompt": "q"})
        True
        >>> same_prompt({"prompt": "q", "tools": ["f"]}, {"prompt": "q"})
        False
    """
    return bool(record["prompt"] == other["prompt"]) and not parting_field(record, other)


def parting_field(record: Record, other: Record, measured: Collection[str] = ()) -> str:
    """Find a field that keeps rows of one prompt apart; empty if none does.

    Args:
        record: A checked record.
        other: Another, of the same prompt.
        measured: Fields that an option reads as numbers of a response.

    Returns:
        The name of a field that differs and, by its name, says nothing of the response: words, a list, an object, or a
        whole number. It is empty if there is none.

    Example:
        >>> parting_field({"prompt": "q", "fact": "Snow is white."}, {"prompt": "q", "fact": "Coal is black."})
        'fact'
        >>> parting_field({"prompt": "q", "critique": "It is short."}, {"prompt": "q", "critique": "It is wrong."})
        ''
    """
    for field in record | other:
        if field not in ("prompt", "responses") and field not in measured and not _same_context(record, other, field):
            return field
    return ""


def _same_context(record: Record, other: Record, field: str) -> bool:
    values = [record.get(field), other.get(field)]
    if field not in CONTEXT_FIELDS and not any(_may_be_asked(field, value) for value in values):
        return True
    if any(value in BLANK for value in values):
        return all(value in BLANK for value in values)
    return _alike(record, other, field) or (_holds_answer(record, field) and _holds_answer(other, field))


def _may_be_asked(field: str, value: Any) -> bool:
    """Tell whether a value may be what a prompt asks about, by its type and its field's name."""
    if isinstance(value, bool | float) or value in BLANK or _is_of_a_response(field):
        return False
    if not may_ask(value) and _is_label(field):
        return False
    return not isinstance(value, int) or not _is_measure(field)


@lru_cache(maxsize=1024)  # called for every field of every row
def _words_of(field: str) -> frozenset[str]:
    return frozenset(WORDS.findall(CAMEL.sub("_", field).lower()))


@lru_cache(maxsize=1024)
def _is_of_a_response(field: str) -> bool:
    words = _words_of(field)
    return not OF_A_RESPONSE.isdisjoint(words) or (bool(words) and words <= RESPONSE_WORDS)


@lru_cache(maxsize=1024)
def _is_label(field: str) -> bool:
    return not LABEL_WORDS.isdisjoint(_words_of(field))


@lru_cache(maxsize=1024)
def _is_measure(field: str) -> bool:
    return not MEASURES.isdisjoint(_words_of(field)) or field.lower().endswith(ASPECT_ENDINGS)


def _holds_answer(record: Record, field: str) -> bool:
    # Alpaca's `text` frames prompt and response; a passage may hold the response without being it.
    value = record[field]
    text = plain_text(value) if isinstance(value, str) or is_conversation(value) else ""
    answers = [plain_text(response["text"]).strip() for response in record.get("responses", ())]
    if not text or not answers or not all(answers):
        return False
    if (field == "text" or field not in CONTEXT_FIELDS) and plain_text(record["prompt"]).strip() in text:
        return all(answer in text for answer in answers)
    return all(answer == text.strip() for answer in answers)
