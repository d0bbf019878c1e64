"""A record of each layout that is read, and what becomes of it when any part has another type."""

import copy

TURNS = [{"role": "user", "content": "Hi"}]
REPLY = [{"role": "assistant", "content": "Yes"}]
OTHER = [{"role": "assistant", "content": "No"}]
ASPECT = {"Rating": "4", "Rationale": "r", "Type": ["1"]}
ROWS = {
    "candidates": {
        "id": 1,
        "prompt": "q",
        "responses": [
            {
                "text": "a",
                "score": 2,
                "rank": 1,
                "model": "m",
                "embedding": [1.0, 0.5],
                "score_std": 0.1,
                "logps": -1.0,
            },
            {
                "text": "b",
                "score": 1,
                "rank": 2,
                "model": "n",
                "embedding": [0.5, 1.0],
                "score_std": 0.1,
                "logps": -2.0,
            },
        ],
        "preferences": [[0.5, 0.9], [0.1, 0.5]],
        "tools": [{"type": "function"}],
        "chat_template_kwargs": {"x": 1},
    },
    "conversations": {"prompt": TURNS, "responses": [{"text": REPLY, "score": 1}, {"text": OTHER, "score": 0}]},
    "encoded": {
        "prompt": "q",
        "responses": [
            {"text": "a", "embedding": "AACAPwAAgD8="},
            {"text": "b", "embedding": "AACAPwAAAAA=", "embedding_dtype": "float32"},
        ],
    },
    "parallel": {
        "instruction": "q",
        "generations": ["a", "b"],
        "scores": [1, {"score": 2}],
        "ranks": [2, 1],
        "generation_models": ["m", "n"],
        "embeddings": [[1.0], [0.5]],
    },
    "ultrafeedback": {
        "instruction": "q",
        "completions": [
            {
                "response": "a",
                "model": "m",
                "annotations": {"helpfulness": ASPECT, "honesty": ASPECT},
                "overall_score": 7,
            },
            {"response": "b", "annotations": None, "fine-grained_score": 2.5},
        ],
    },
    "shp": {"history": "q", "human_ref_A": "a", "human_ref_B": "b", "score_A": 2, "score_B": 1, "labels": 1},
    "hh": {"chosen": "\n\nHuman: Hi\n\nAssistant: a", "rejected": "\n\nHuman: Hi\n\nAssistant: b"},
    "binarized": {
        "prompt": "Hi",
        "chosen": TURNS + REPLY,
        "rejected": TURNS + OTHER,
        "score_chosen": 2.0,
        "score_rejected": 1.0,
    },
    "mixed": {"prompt": TURNS, "chosen": "a", "rejected": "b"},
    "preference": {
        "prompt": "q",
        "chosen": "a",
        "rejected": "b",
        "score_chosen": 2,
        "score_rejected": 1,
        "similarity": 0.5,
        "weight": 1.0,
        "strategy": "easy",
        "stage": 1,
        "reference": "c",
        "ref_chosen_logps": -1.0,
        "ref_rejected_logps": -2.0,
        "prob_chosen": 0.7,
        "prob_rejected": 0.3,
        "offset": 0.5,
        "degraded": [{"text": "a", "degree": 1}],
        "annotation": {"verdict": "first", "shown": "as-is", "seconds": 1.0, "note": "n"},
        "judge": {"agree": True, "verdicts": ["A", "B"], "model": "m"},
        "goal": {"score": 1},
        "model_chosen": "m",
        "model_rejected": "n",
        "category": "c",
        "margin": 0.5,
    },
    "implicit": {"chosen": TURNS + REPLY, "rejected": TURNS + OTHER},
    "implicit text": {"chosen": "the cat sat", "rejected": "the cat ran"},
    "unpaired": {"prompt": "q", "completion": "a", "label": True},
    "alpaca": {"instruction": "q", "output": "a", "generator": "m", "score": 1.0},
    "dialogue": {"messages": [*TURNS, *REPLY, {"role": "user", "content": "That is wrong"}, *OTHER]},
    "tools": {
        "prompt": TURNS,
        "chosen": [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": "{}"}}],
            }
        ],
        "rejected": [{"role": "assistant", "content": [{"type": "text", "text": "a"}]}],
    },
}
# A value of each JSON type, and those that are near to another one.
VALUES = (
    None,
    True,
    7,
    -1,
    1.5,
    1e308,
    2**63,
    "",
    "x",
    "1e999",
    [],
    [1],
    [None],
    ["a", "b"],
    [[]],
    {},
    {"a": 1},
    [{}],
    [{"role": "user"}],
)


def places(value, path=()):
    """List the paths to a value's parts."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in items:
        yield (*path, name)
        yield from places(part, (*path, name))


def changed(row, path, value):
    """Return a row with another value at one place."""
    row = copy.deepcopy(row)
    part = row
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return row


def variations(row):
    """Put every value into every place of a row; and leave every place out."""
    for path in places(row):
        for value in VALUES:
            yield changed(row, path, value)
        if isinstance(path[-1], str):
            shorter = copy.deepcopy(row)
            part = shorter
            for name in path[:-1]:
                part = part[name]
            del part[path[-1]]
            yield shorter
