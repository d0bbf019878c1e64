"""Groups and batches: literal matrices, and properties of the split."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.models.score.masks import visible
from real_cli.models.score.scoring import answer_batches
from real_cli.models.score.sequences import Group, group_by_prompt, lay_out, shape, split_group
from real_cli.models.score.tokens import TokenizedExample
from real_cli.records.choices import TokenLayout
from real_cli.train.batches.collate import Collator

GROUPS = [Group((3, 4), [(5,), (6, 1)], []), Group((), [(7, 1), (8,)], [])]
ids = st.lists(st.integers(1, 3), min_size=1, max_size=3)
layouts = st.sampled_from([TokenLayout.shared, TokenLayout.plain, TokenLayout.packed])
pairs = st.lists(
    st.builds(TokenizedExample, st.lists(st.integers(1, 2), max_size=2), st.lists(ids, min_size=2, max_size=4)),
    min_size=1,
    max_size=9,
)


def test_a_shared_batch_is_one_row_a_prompt():
    """Prompt 3 4 with responses 5 and 6 1; no prompt, so nothing predicts 7 or 8."""
    batch = lay_out(GROUPS, TokenLayout.shared, 0)
    assert batch["input_ids"].tolist() == [[3, 4, 5, 6, 1], [7, 1, 8, 0, 0]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 2, 3], [0, 1, 0, 0, 0]]
    assert batch["segments"].tolist() == [[0, 0, 1, 2, 2], [1, 1, 2, -1, -1]]
    assert batch["predictors"].tolist() == [1, 1, 3, 5]
    assert batch["targets"].tolist() == [5, 6, 1, 1]
    assert batch["owners"].tolist() == [0, 1, 1, 2]
    assert batch["num_responses"] == 4


def test_a_plain_batch_is_one_row_a_response():
    """The same four responses, padded on the right."""
    batch = lay_out(GROUPS, TokenLayout.plain, 0)
    assert batch["input_ids"].tolist() == [[3, 4, 5, 0], [3, 4, 6, 1], [7, 1, 0, 0], [8, 0, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]]
    assert batch["predictors"].tolist() == [1, 5, 6, 8]
    assert batch["targets"].tolist() == [5, 6, 1, 1]
    assert batch["owners"].tolist() == [0, 1, 1, 2]


def test_a_response_sees_the_prompt_and_itself_and_nobody_sees_padding():
    """Prompt of two, responses of one and two, one token of padding; then the same with a window of two."""
    segments = torch.tensor([[0, 0, 1, 2, 2, -1]])
    positions = torch.tensor([[0, 1, 2, 2, 3, 0]])
    assert visible(segments, positions)[0, 0].int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 0, 1, 0, 0],
        [1, 1, 0, 1, 1, 0],
        [1, 1, 0, 0, 0, 1],
    ]
    assert visible(segments, positions, 2)[0, 0].int().tolist()[2:5] == [
        [0, 1, 1, 0, 0, 0],
        [0, 1, 0, 1, 0, 0],
        [0, 0, 0, 1, 1, 0],
    ]


@settings(max_examples=60, deadline=None)
@given(pairs, st.integers(1, 30), layouts)
def test_every_pair_is_in_one_group_that_fits_and_finds_its_responses(pairs, budget, layout):
    """Split as they may be, groups hold each pair once; only a pair alone may exceed the budget."""
    groups = [part for group in group_by_prompt(pairs) for part in split_group(group, layout, budget)]
    result = {}
    for group in groups:
        assert len(set(group.responses)) == len(group.responses)
        num_rows, width = shape(group, layout)
        assert len(group.members) == 1 or num_rows * width <= budget
        for item, places in group.members:
            assert item not in result
            result[item] = TokenizedExample(list(group.prompt), [list(group.responses[place]) for place in places])
    assert [result[item] for item in range(len(pairs))] == pairs


@settings(max_examples=60, deadline=None)
@given(pairs, st.integers(1, 30), layouts)
def test_the_passes_of_a_batch_hold_each_pair_once(pairs, budget, layout):
    """Whatever the budget, the pairs of a batch are the pairs of the batch, with their own reference numbers."""
    rows = [
        {
            "prompt_ids": pair.prompt,
            "response_ids": pair.responses,
            "marks": [float(place) for place in range(len(pair.responses))],
            "ref_logps": [-float(number + place) for place in range(len(pair.responses))],
            "weight": number / 2,
        }
        for number, pair in enumerate(pairs)
    ]
    batch = Collator(layout, budget, 0, ["weight"])(rows)
    assert batch["columns"]["weight"].tolist() == [number / 2 for number in range(len(pairs))]
    for number, pair in enumerate(pairs):
        there = batch["present"][number]
        assert there.tolist() == [place < len(pair.responses) for place in range(len(there))]
        assert batch["lengths"][number][there].tolist() == [len(ids) for ids in pair.responses]
        assert batch["ref_logps"][number][there].tolist() == rows[number]["ref_logps"]
        assert batch["marks"][number][there].tolist() == rows[number]["marks"]
    seen = [number for item in batch["passes"] for number in item["examples"].tolist()]
    assert sorted(seen) == list(range(len(pairs)))
    for item in batch["passes"]:
        size = item["batch"]["input_ids"].numel()
        assert size <= budget or len(item["examples"]) == 1
        for number, places in zip(item["examples"].tolist(), item["responses"].tolist(), strict=True):
            for ids, place in zip(pairs[number].responses, places, strict=False):
                known = ids if pairs[number].prompt else ids[1:]
                assert item["batch"]["targets"][item["batch"]["owners"] == place].tolist() == known
                flat = item["batch"]["input_ids"].flatten()
                assert flat[item["batch"]["places"][item["batch"]["place_owners"] == place]].tolist() == ids


def test_the_doubtful_case_of_an_empty_response_is_nothing_predicted():
    """A response that was cut to nothing has log-probability 0, and its neighbors keep theirs."""
    batch = lay_out([Group((3,), [(), (4,)], [])], TokenLayout.shared, 0)
    assert (batch["targets"].tolist(), batch["owners"].tolist()) == ([4], [1])
    assert batch["num_responses"] == 2


@settings(max_examples=60, deadline=None)
@given(pairs, st.integers(1, 30), layouts)
def test_answers_are_scored_once_in_batches_that_fit(pairs, budget, layout):
    """Whatever the budget: no answer twice, and only one that is alone may exceed it."""
    answers = list(dict.fromkeys((tuple(pair.prompt), tuple(ids)) for pair in pairs for ids in pair.responses))
    batches = list(answer_batches(answers, range(len(answers)), layout, budget))
    assert sorted(index for batch in batches for index in batch) == list(range(len(answers)))
    for batch in batches:
        prompts = [answers[index][0] for index in batch]
        if layout is TokenLayout.shared:
            assert len(batch) == 1 or sum(map(len, set(prompts))) < budget
        elif layout is TokenLayout.packed:
            size = sum(map(len, set(prompts))) + sum(len(answers[index][1]) for index in batch)
            assert len(batch) == 1 or size <= budget
        else:
            longest = max(len(prompt) + len(response) for prompt, response in (answers[index] for index in batch))
            assert len(batch) == 1 or len(batch) * longest <= budget


def test_all_responses_of_a_prompt_that_fit_share_a_row():
    """A prompt of two and responses of one token each: three fit in five tokens, the fourth begins a row."""
    answers = [((5, 6), (token,)) for token in (1, 2, 3, 4)]
    assert list(answer_batches(answers, range(4), TokenLayout.shared, 5)) == [[0, 1, 2], [3]]
    assert list(answer_batches(answers, range(4), TokenLayout.plain, 6)) == [[0, 1], [2, 3]]
