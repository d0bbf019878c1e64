"""Flip a share of labels at random: `python -m tests.evidence.flip PERCENT SEED < pairs.jsonl > flipped.jsonl`."""

import json
import random
import sys


def flipped(pairs, percent, seed):
    """Swap the sides of so many pairs, to the nearest; which, the seed says.

    >>> pairs = [{"chosen": "a", "rejected": "b"}] * 10
    >>> sum(pair["chosen"] == "b" for pair in flipped(pairs, 30, 1))
    3
    """
    chosen = set(random.Random(seed).sample(range(len(pairs)), round(len(pairs) * percent / 100)))
    for number, pair in enumerate(pairs):
        yield pair | {"chosen": pair["rejected"], "rejected": pair["chosen"]} if number in chosen else pair


if __name__ == "__main__":
    labeled = [json.loads(line) for line in sys.stdin]
    for pair in flipped(labeled, float(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps(pair))
