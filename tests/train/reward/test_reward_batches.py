"""Passes of a reward model's batch."""

import pytest

from real_cli.train.reward.batches import RewardCollator
from real_cli.train.reward.settings import RewardSettings


def rows(*lengths, types=False, **columns):
    """Pairs of sequences so long, of one prompt each."""
    built = []
    for number, (chosen, rejected) in enumerate(lengths):
        ids = [[5] * chosen, [6] * rejected]
        ids += [[1] * chosen, [1] * rejected] if types else []
        built.append(
            {"response_ids": ids, "prompt": number, **{name: value[number] for name, value in columns.items()}}
        )
    return built


def collate(data, tokens=100, **settings):
    return RewardCollator(tokens, 0, RewardSettings(**settings))(data)


def test_both_sides_of_a_pair_share_a_pass_that_stays_within_its_tokens():
    batch = collate(rows((3, 9), (4, 4), (2, 1), (5, 6)), tokens=24)
    examples = [forward["examples"].tolist() for forward in batch["passes"]]
    assert examples == [[0], [3, 1], [2]]
    assert [forward["batch"]["input_ids"].numel() for forward in batch["passes"]] == [18, 24, 4]
    _, middle, _ = batch["passes"]
    assert middle["batch"]["input_ids"].tolist() == [
        [5, 5, 5, 5, 5, 0],
        [5, 5, 5, 5, 0, 0],
        [6, 6, 6, 6, 6, 6],
        [6, 6, 6, 6, 0, 0],
    ]
    assert middle["batch"]["attention_mask"].sum().item() == 19
    assert "token_type_ids" not in middle["batch"]


def test_types_go_with_their_tokens():
    (forward,) = collate(rows((2, 3), types=True))["passes"]
    assert forward["batch"]["token_type_ids"].tolist() == [[1, 1, 0], [1, 1, 1]]


@pytest.mark.parametrize(
    ("margin", "columns"),
    [("gap", {"margin": [0.5, -2.0]}), ("scores", {"score_chosen": [1.5, 1.0], "score_rejected": [1.0, 3.0]})],
)
def test_margins_come_from_a_field_or_from_two_scores(margin, columns):
    assert collate(rows((1, 2), (2, 1), **columns), margin=margin)["margins"].tolist() == [0.5, -2.0]
    assert collate(rows((1, 2), (2, 1)))["margins"] is None


def test_weights_are_one_each_unless_there_are_some():
    assert collate(rows((1, 2), (2, 1)))["weights"].tolist() == [1, 1]
    assert collate(rows((1, 2), (2, 1), weight=[0.5, 1.5]))["weights"].tolist() == [0.5, 1.5]


def test_pairs_of_a_prompt_share_their_draws_and_a_smaller_budget_changes_none():
    data = rows((1, 2), (2, 1), (3, 3))
    data[1]["prompt"] = data[0]["prompt"]
    batch = collate(data, ensemble=16)
    assert batch["draws"].shape == (3, 16)
    assert batch["draws"][0].tolist() == batch["draws"][1].tolist() != batch["draws"][2].tolist()
    assert collate(data, tokens=1, ensemble=16)["draws"].tolist() == batch["draws"].tolist()


def test_a_process_without_pairs_makes_a_batch_of_none():
    batch = collate([], ensemble=3)
    assert (batch["passes"], batch["lengths"].shape, batch["draws"].shape) == ([], (0, 2), (0, 3))
    empty = RewardCollator(100, 0, RewardSettings()).empty_pass()
    assert (empty["batch"]["input_ids"].tolist(), empty["examples"].tolist()) == ([[0], [0]], [])
