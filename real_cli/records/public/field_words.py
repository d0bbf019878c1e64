"""What the name of an unknown field says: it describes a response, is measured on it, or is a label."""

import re
from functools import lru_cache
from typing import Any

# A field with such a word in its name describes the response, or who wrote, rated or stored it.
OF_A_RESPONSE = frozenset(
    {
        *("generation", "generations", "generated", "chosen", "rejected", "revised", "revision", "edited", "extracted"),
        *("score", "scores", "rating", "ratings", "reward", "rewards", "rank", "ranks", "ranking", "label", "labels"),
        *("grade", "grades", "better", "best", "winner", "preferred", "selected", "safe", "safety"),
        *("vote", "votes", "upvotes", "axes", "aspects", "quality", "errors", "error", "stats", "quotes", "preference"),
        *("annotation", "annotations", "annotator", "annotators", "worker", "workers", "judge", "judgment", "verdict"),
        *("judgement", "evaluation", "evaluations", "eval", "evaluator", "rater", "reviewer", "critique", "critiques"),
        *("rationale", "rationales", "reason", "reasons", "reasoning", "cot", "labeling", "labelling", "parsed"),
        *("explanation", "justification", "thought", "thoughts", "thinking", "trace", "principle", "principles"),
        *("model", "models", "generator", "policy", "author", "engine", "sampling", "decoding", "temperature", "seed"),
        *("config", "settings", "parameters", "params", "kwargs", "usage", "tokens", "logprobs", "logps", "embedding"),
        *("id", "ids", "uuid", "hash", "key", "metadata", "meta", "tag", "tags", "provider", "sampler", "strategy"),
        *("timestamp", "created", "updated", "version", "statistics", "finish", "stop", "split", "correct", "flagged"),
        *("preferences", "embeddings"),
    }
)
# Names of the response itself, with one of the second line and nothing else: a program's output is none.
RESPONSE_ITSELF = frozenset({"response", "responses", "completion", "completions", "output", "outputs", "reply", "raw"})
RESPONSE_WORDS = RESPONSE_ITSELF | {"full", "formatted", "clean", "cleaned", "text", "original", "j", "k"}
# One word or a number under such a name is a label; a sentence is a text.
LABEL_WORDS = frozenset(
    {"source", "dataset", "subset", "category", "license", "sentiment", "status", "type", "kind", "level", "style"}
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
# The right answer to a question, which is no part of it.
SOLUTIONS = frozenset(
    {"answer", "answers", "solution", "solutions", "target", "targets", "truth", "expected", "reference", "references"}
)
ASKING = frozenset(
    {
        *("prompt", "prompts", "question", "questions", "query", "queries", "instruction", "instructions", "input"),
        *("inputs", "problem", "context", "messages", "conversation", "conversations", "dialogue"),
    }
)
WORDS = re.compile(r"[a-z]+")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
SENTENCE = 4  # words


@lru_cache(maxsize=1024)  # called for every field of every row
def words_of(field: str) -> frozenset[str]:
    """List the words of a field's name, in lower case.

    >>> sorted(words_of("sourceText_2"))
    ['source', 'text']
    """
    return frozenset(WORDS.findall(CAMEL.sub("_", field).lower()))


@lru_cache(maxsize=1024)
def tells_of_response(field: str) -> bool:
    """Tell by its name whether a field describes a response, or who wrote, rated or stored it.

    >>> tells_of_response("judge_feedback"), tells_of_response("raw_output"), tells_of_response("code_output")
    (True, True, False)
    """
    words = words_of(field)
    return not OF_A_RESPONSE.isdisjoint(words) or (words <= RESPONSE_WORDS and not words.isdisjoint(RESPONSE_ITSELF))


@lru_cache(maxsize=1024)
def is_measure(field: str) -> bool:
    """Tell by its name whether a whole number is measured on a response.

    >>> is_measure("num_words"), is_measure("honesty"), is_measure("year")
    (True, True, False)
    """
    return not MEASURES.isdisjoint(words_of(field)) or field.lower().endswith(ASPECT_ENDINGS)


@lru_cache(maxsize=1024)
def is_solution(field: str) -> bool:
    """Tell by its name whether a field is the right answer.

    >>> is_solution("correct_answers"), is_solution("facts")
    (True, False)
    """
    return not SOLUTIONS.isdisjoint(words_of(field))


def is_label(field: str, value: Any) -> bool:
    """Tell a label by its name and its few words.

    >>> is_label("level", "Level 5"), is_label("source", "Snow is white.")
    (True, False)
    """
    words = WORDS.findall(CAMEL.sub("_", field).lower())
    if LABEL_WORDS.isdisjoint(words[-2:] if words[-1:] == ["name"] else words[-1:]):
        return False
    return not isinstance(value, str) or not (
        len(value.split()) >= SENTENCE or value.rstrip().endswith((".", "?", "!"))
    )


def asks_by_name(field: str) -> bool:
    """Tell by its name whether a field is the prompt.

    >>> asks_by_name("userPrompt"), asks_by_name("question text"), asks_by_name("prompt_id")
    (True, True, False)
    """
    words = WORDS.findall(CAMEL.sub("_", field).lower())
    return bool(words) and words[-2 if words[-1] in ("text", "body", "content") and len(words) > 1 else -1] in ASKING
