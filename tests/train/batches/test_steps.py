"""Every pair of a step weighs the same, over batches and over processes."""

import pytest
import torch

from real_cli.train.batches.steps import weigh_step


def batch(*lengths):
    return {"lengths": torch.tensor(lengths, dtype=torch.float32)}


def weights(processes):
    """Weigh one step of several processes; return the weight that each pair gets, by process and batch."""
    rows = [torch.cat([item["lengths"] for item in batches]) for batches in processes]
    together = torch.cat(rows)
    result = []
    for batches in processes:
        weighed = weigh_step(batches, lambda rows: together, len(processes))
        # A trainer means the batches of a step, and the processes mean their gradients.
        result.append([1 / float(item["share"]) / len(batches) / len(processes) for item in weighed])
        assert all(torch.equal(item["step_lengths"], together) for item in weighed)
    return result


@pytest.mark.parametrize(
    "sizes", [[[3]], [[2, 1]], [[1, 1, 1]], [[2], [1]], [[1, 1], [1]], [[4, 4], [4, 1]], [[1, 1, 1], [1]]]
)
def test_a_pair_weighs_one_by_the_number_of_pairs_in_any_split(sizes):
    processes = [[batch(*[(2.0, 3.0)] * size) for size in batches] for batches in sizes]
    num_pairs = sum(map(sum, sizes))
    result = [weight for ours in weights(processes) for weight in ours]
    assert len(result) == sum(map(len, sizes))
    assert result == pytest.approx([1 / num_pairs] * len(result))


def test_batches_with_other_numbers_of_responses_are_filled_up():
    """Rankings differ in length; a response that is not there has no tokens."""
    (first, _) = weigh_step([batch((1, 2, 3)), batch((4, 5))], lambda rows: rows)
    assert first["step_lengths"].tolist() == [[1, 2, 3], [4, 5, 0]]


def test_an_iterator_that_has_ended_gives_no_batches():
    assert weigh_step([], lambda rows: rows) == []
