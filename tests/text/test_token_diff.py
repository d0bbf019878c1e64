"""Which tokens of two responses differ: BMC's paper, and its official code."""

import random
from difflib import SequenceMatcher

import pytest

from real_cli.text import stopwords, token_diff


def expected(
    rejected: list[int], chosen: list[int], ignored: frozenset[int], pad: int, length: int
) -> list[list[bool]]:
    """By the standard library's own blocks: what is in none of them differs."""
    sides = [[*ids, *[pad] * (length - len(ids))] for ids in (rejected, chosen)]
    marks = [[token not in ignored for token in ids] for ids in sides]
    for first, second, size in SequenceMatcher(None, *sides).get_matching_blocks():
        for ours, start in zip(marks, (first, second), strict=True):
            ours[start : start + size] = [False] * size
    return [marks[1][: len(chosen)], marks[0][: len(rejected)]]


def test_the_worked_pair_is_marked_as_the_code_marks_it():
    """rejected [1, 2, 3, 1], chosen [2, 1]: 2 matches, then 1 with the last; the 1 before and the 3 between do not."""
    chosen, rejected = token_diff.code_differing_tokens([], [[2, 1], [1, 2, 3, 1]], pad=0)
    assert [list(map(int, rejected)), list(map(int, chosen))] == [[0, 1, 1, 1], [1, 0]]


@pytest.mark.parametrize("seed", range(40))
def test_long_pairs_are_marked_as_by_the_blocks_of_the_standard_library(seed):
    """Of 300 tokens, with popular ones that its heuristic leaves out, behind a prompt and padded."""
    draw = random.Random(seed)
    prompt, chosen = ([draw.randrange(40) for _ in range(count)] for count in (50, 300))
    rejected = [draw.randrange(40) if draw.random() < 0.2 else token for token in chosen][: draw.randrange(200, 300)]
    ignored = frozenset({3, 4})
    result = token_diff.code_differing_tokens(prompt, [chosen, rejected], ignored, pad=0)
    sides = expected([*prompt, *rejected], [*prompt, *chosen], ignored, 0, 350)
    assert result == [sides[0][50:], sides[1][50:]]


def test_stop_words_are_those_of_the_code_capitalized_too_and_without_a_space():
    vocabulary = {"the": 5, "The": 6, " the": 7, "THE": 8, "i": 9, "I": 10}
    result = stopwords.code_stop_tokens(["the", "i"], lambda word: [vocabulary[word]] if word in vocabulary else [1, 2])
    assert result == {5, 6, 9}
