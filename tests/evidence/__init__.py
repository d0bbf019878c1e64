"""The outcomes of the runs behind real-evidence(7), without text: a file a run, packed small."""

import json
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
# The fields of a row of `real eval margin --rows` that are the same for every policy.
OF_A_PROMPT = ("num_tokens_chosen", "num_tokens_rejected")
# Those that differ, with the digits that are kept: margins are of some nats.
OF_A_POLICY = {"margin": 5, "likelihood_margin": 4, "rewards_chosen": 6}


class Run(NamedTuple):
    """A run: what it was, and the rows of its policies.

    Attributes:
        head: Its title, commands, data with their hashes, and what the page says of it.
        rows: As `real eval margin --rows` writes them.
    """

    head: dict
    rows: list[dict]


def tags_of(row):
    """Keep what a row says of its policy: the tags that the run put on it."""
    measured = {"id", "place", "policy", "prompt_key", "is_correct", "margin", "margin_beta", "margin_per_token"}
    measured |= {"rewards_chosen", "rewards_rejected", "likelihood_margin", "similarity", *OF_A_PROMPT}
    return {name: value for name, value in row.items() if name not in measured}


def pack(rows):
    """Turn rows into a line of prompts and a line a policy.

    >>> row = {"prompt_key": "ab", "margin": 0.123456, "likelihood_margin": -2.0, "rewards_chosen": 0.1, "seed": 1,
    ...        "num_tokens_chosen": 4, "num_tokens_rejected": 2, "is_correct": True}
    >>> list(pack([row]))[1]
    {'seed': 1, 'margin': [0.12346], 'likelihood_margin': [-2.0], 'rewards_chosen': [0.1]}
    """
    cells = {}
    for row in rows:
        cells.setdefault(json.dumps(tags_of(row)), []).append(row)
    prompts = [{name: row[name] for name in ("prompt_key", *OF_A_PROMPT)} for row in next(iter(cells.values()))]
    yield {name: [prompt[name] for prompt in prompts] for name in prompts[0]}
    for tags, measured in cells.items():
        assert [row["prompt_key"] for row in measured] == [prompt["prompt_key"] for prompt in prompts]
        numbers = {name: [round(row[name], digits) for row in measured] for name, digits in OF_A_POLICY.items()}
        yield json.loads(tags) | numbers


def unpack(lines):
    """Turn what `pack` made into rows again."""
    prompts, *cells = lines
    for cell in cells:
        tags = {name: value for name, value in cell.items() if name not in OF_A_POLICY}
        for number, key in enumerate(prompts["prompt_key"]):
            known = {name: values[number] for name, values in prompts.items()}
            measured = {name: cell[name][number] for name in OF_A_POLICY}
            yield {"prompt_key": key, "is_correct": measured["margin"] > 0, **known, **measured, **tags}


def read_run(name):
    """Read one run."""
    head, *lines = [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    return Run(head, list(unpack(lines)))
